// cxx_norace.cc - std::thread, std::mutex, std::vector, std::shared_ptr and std::atomic in their right use.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %cspxx -fsanitize=cspthread -g -O1 %s -o %t
// RUN: %t 2> %t.err
// RUN: count 0 < %t.err
#include <atomic>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

static std::mutex lock;
static std::atomic<int> rounds;
int value;

static void work(std::shared_ptr<std::vector<int>> numbers)
{
    for (int n : *numbers) {
        std::lock_guard<std::mutex> guard(lock);
        value += n;
        rounds++;
    }
}

int main()
{
    auto numbers = std::make_shared<std::vector<int>>(std::vector<int>{1, 2, 3});
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; i++)
        threads.emplace_back(work, numbers);
    numbers.reset();
    for (auto &t : threads)
        t.join();
    return value != 18 || rounds != 9;
}
