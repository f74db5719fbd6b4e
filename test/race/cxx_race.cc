// cxx_race.cc - std::thread without its mutex: the threads race.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %cspxx -fsanitize=cspthread -g -O1 %s -o %t
// RUN: not %t 2>&1 | FileCheck %s
#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

static std::mutex lock;
static std::atomic<int> rounds;
int value;

static void work(const std::vector<int> *numbers)
{
    for (int n : *numbers) {
        value += n;
        rounds++;
    }
}

int main()
{
    const std::vector<int> list{1, 2, 3};
    const std::vector<int> *numbers = &list;
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; i++)
        threads.emplace_back(work, numbers);
    for (auto &t : threads)
        t.join();
    return value != 18 || rounds != 9;
}

// CHECK: WARNING: CspThreadSanitizer: data race
// CHECK: #0 work({{.*}}) {{.*}}cxx_race.cc:17:
// CHECK: Location is global 'value' of size 4
// CHECK: SUMMARY: CspThreadSanitizer: data race {{.*}}cxx_race.cc:17:{{[0-9]+}} in work
