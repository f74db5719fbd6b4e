// threads_cxx.cc - C++'s threads, local statics, call_once, futures and random_device under a controlled schedule.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The initialiser of a static and the function of a once give the turn away, and end by an exception the first time.
// RUN: %cspxx -fsanitize=cspthread -std=c++20 -g -O1 %s -o %t
// RUN: %python %S/Inputs/same.py --seeds=12 --expect=%t.expected %t
// RUN: FileCheck %s < %t.expected
// RUN: %python %S/Inputs/replay.py --runs=3 --other-seeds=4 %t -- --random
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <future>
#include <latch>
#include <mutex>
#include <random>
#include <shared_mutex>
#include <stdexcept>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

static std::mutex m;
static int made, attempts, onces, reads;
static std::once_flag flag;
static std::shared_mutex shared;

struct Slow {
    Slow()
    {
        std::lock_guard<std::mutex> guard(m);
        std::this_thread::yield();
        std::this_thread::sleep_for(5ms);
        if (attempts++ == 0)
            throw std::runtime_error("the first time");
        made++;
    }
};

static void use_static()
{
    static Slow slow;
}

static void run_once()
{
    std::this_thread::yield();
    if (onces++ == 0)
        throw 1;
}

static void work(std::latch &all)
{
    for (bool again = true; again;)
        try {
            use_static();
            again = false;
        } catch (const std::runtime_error &) {
        }
    for (bool again = true; again;)
        try {
            std::call_once(flag, run_once);
            again = false;
        } catch (int) {
        }
    {
        std::shared_lock<std::shared_mutex> lock(shared);
        std::this_thread::yield();
    }
    std::unique_lock<std::shared_mutex> lock(shared);
    reads++;
    lock.unlock();
    all.arrive_and_wait();
}

int main(int argc, char **argv)
{
    if (argc > 1 && !strcmp(argv[1], "--random")) {
        std::random_device device;
        printf("%u %u\n", device(), device());
    }
    std::vector<std::thread> threads;
    std::latch all(4);
    for (int i = 0; i < 4; i++)
        threads.emplace_back([&] { work(all); });
    for (std::thread &t : threads)
        t.join();
    printf("made %d attempts %d onces %d reads %d\n", made, attempts, onces,
           reads); // CHECK: made 1 attempts 2 onces 2 reads 4
    std::promise<int> promise;
    std::future<int> future = promise.get_future();
    std::thread late([&] {
        std::this_thread::sleep_for(1h);
        promise.set_value(7);
    });
    printf("ready %d\n", future.wait_for(1min) == std::future_status::ready); // CHECK: ready 0
    printf("future %d\n", future.get());                                      // CHECK: future 7
    late.join();
    std::atomic<int> word(0);
    std::thread notifier([&] {
        word = 1;
        word.notify_all();
    });
    word.wait(0);
    notifier.join();
    std::condition_variable condition;
    std::unique_lock<std::mutex> lock(m);
    printf("timed out %d\n", condition.wait_for(lock, 2s) == std::cv_status::timeout); // CHECK: timed out 1
    lock.unlock();
    printf("async %d\n", std::async(std::launch::async, [] { return 5; }).get()); // CHECK: async 5
    return 0;
}
