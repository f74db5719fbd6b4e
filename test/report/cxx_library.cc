// cxx_library.cc - what the C++ library orders is known, and nothing more: each case writes before what is to order it, which is
// silent, or after it, which is reported. The calling context is right after an exception was caught further up.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %cspxx -std=c++20 -fsanitize=cspthread -g -O1 %s -o %t
// RUN: %python %S/Inputs/check_cases.py %t %s
#define INVISIBLE_THREADS
#include "../race/invisible.h"

#include <atomic>
#include <barrier>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <future>
#include <latch>
#include <memory>
#include <mutex>
#include <new>
#include <semaphore>
#include <shared_mutex>
#include <stdexcept>
#include <thread>

static bool ordered;
static int value;
static int steps;

static void before()
{
    if (ordered)
        value = 1;
}

static void after()
{
    if (!ordered)
        value = 1;
    invisible_step();
}

// What follows comes later in time than `after`, whatever the order.
static void meet(const char *name)
{
    invisible_wait(++steps);
    if (!ordered)
        fprintf(stderr, "== %s\n", name);
    invisible_use(value);
}

struct Wide {
    alignas(64) long numbers[8];
};
static std::mutex mutex;
static std::recursive_mutex recursive;
static std::timed_mutex timed;
static std::shared_mutex shared;
static std::condition_variable condition;
static std::condition_variable_any condition_any;
static std::once_flag once;
static std::atomic<int> flag;
static std::atomic_flag simple_flag;
static std::counting_semaphore<8> semaphore(0);
static std::binary_semaphore binary(0);
static std::latch latch(2);
static std::barrier barrier(2);
static std::promise<int> promise;
static int *volatile block;
static Wide *volatile wide;
static std::shared_ptr<int> first, second;

// Exceptions that fly over three frames; the access afterwards is in the one that caught it.
__attribute__((noinline)) static void thrower(int depth)
{
    if (depth == 0)
        throw std::runtime_error("far");
    thrower(depth - 1);
    invisible_use(depth);
}

__attribute__((noinline)) static void write_after_catch()
{
    if (!ordered)
        value = 2;
    invisible_use(value);
}

__attribute__((noinline)) static void catcher()
{
    try {
        thrower(3);
    } catch (const std::exception &) {
    }
    write_after_catch();
    invisible_use(1);
}

// A case: what the thread does, what main does before it looks, what it does after the join.
#define CASE(name, in_thread, in_main)                                                                                 \
    static void name()                                                                                                 \
    {                                                                                                                  \
        std::thread t([] { in_thread; });                                                                              \
        in_main;                                                                                                       \
        meet(#name);                                                                                                   \
        t.join();                                                                                                      \
    }

// clang-format off
CASE(mutex_, { mutex.lock(); before(); flag.store(1, std::memory_order_relaxed); mutex.unlock(); after(); },
     { while (!flag.load(std::memory_order_relaxed)); std::lock_guard<std::mutex> l(mutex); flag.store(0, std::memory_order_relaxed); })
CASE(recursive_mutex_, { recursive.lock(); recursive.lock(); before(); recursive.unlock(); flag.store(1, std::memory_order_relaxed); recursive.unlock(); after(); },
     { while (!flag.load(std::memory_order_relaxed)); std::lock_guard<std::recursive_mutex> l(recursive); flag.store(0, std::memory_order_relaxed); })
CASE(timed_mutex_, { timed.lock(); before(); flag.store(1, std::memory_order_relaxed); timed.unlock(); after(); },
     { while (!flag.load(std::memory_order_relaxed)); while (!timed.try_lock_for(std::chrono::seconds(1))); timed.unlock(); flag.store(0, std::memory_order_relaxed); })
CASE(shared_mutex_, { shared.lock(); before(); flag.store(1, std::memory_order_relaxed); shared.unlock(); after(); },
     { while (!flag.load(std::memory_order_relaxed)); std::shared_lock<std::shared_mutex> l(shared); flag.store(0, std::memory_order_relaxed); })
CASE(condition_variable_, { { std::lock_guard<std::mutex> l(mutex); before(); flag.store(1, std::memory_order_relaxed); condition.notify_one(); } after(); },
     { std::unique_lock<std::mutex> l(mutex); condition.wait(l, [] { return flag.load(std::memory_order_relaxed) == 1; }); flag.store(0, std::memory_order_relaxed); })
CASE(condition_variable_any_, { { std::lock_guard<std::mutex> l(mutex); before(); flag.store(1, std::memory_order_relaxed); condition_any.notify_all(); } after(); },
     { std::unique_lock<std::mutex> l(mutex); condition_any.wait(l, [] { return flag.load(std::memory_order_relaxed) == 1; }); flag.store(0, std::memory_order_relaxed); })
CASE(call_once_, { std::call_once(once, [] { before(); flag.store(1, std::memory_order_relaxed); }); after(); },
     { while (!flag.load(std::memory_order_relaxed)); std::call_once(once, [] { abort(); }); flag.store(0, std::memory_order_relaxed); })
CASE(promise_, { before(); promise.set_value(1); after(); }, { invisible_use(promise.get_future().get()); })
CASE(atomic_, { before(); flag.store(1, std::memory_order_release); after(); }, { while (!flag.load(std::memory_order_acquire)); flag = 0; })
CASE(atomic_wait_, { before(); flag.store(1); flag.notify_one(); after(); }, { flag.wait(0); flag = 0; })
CASE(atomic_fence_, { before(); std::atomic_thread_fence(std::memory_order_release); flag.store(1, std::memory_order_relaxed); after(); },
     { while (!flag.load(std::memory_order_relaxed)); std::atomic_thread_fence(std::memory_order_acquire); flag = 0; })
CASE(atomic_flag_, { before(); simple_flag.test_and_set(); simple_flag.notify_one(); after(); }, { simple_flag.wait(false); })
CASE(latch_, { before(); latch.count_down(); after(); }, { latch.arrive_and_wait(); })
CASE(barrier_, { before(); barrier.arrive_and_wait(); after(); }, { barrier.arrive_and_wait(); })
CASE(counting_semaphore_, { before(); semaphore.release(); after(); }, { semaphore.acquire(); })
CASE(binary_semaphore_, { before(); binary.release(); after(); }, { binary.acquire(); })
CASE(catch_, { if (ordered) flag.store(0); catcher(); flag.store(1); invisible_step(); }, { if (ordered) while (!flag.load()); })
// clang-format on
// STACK catch_: write_after_catch catcher

// Here main's access comes first.
static void thread_()
{
    value = 1;
    std::thread t([] {
        value = 2;
        invisible_step();
    });
    if (ordered)
        t.join();
    meet("thread_");
    if (!ordered)
        t.join();
}

static void jthread_()
{
    {
        std::jthread t([](std::stop_token) {
            value = 2;
            invisible_step();
        });
        if (!ordered)
            meet("jthread_");
    }
    if (ordered)
        meet("jthread_");
}

static void async_()
{
    auto f = std::async(std::launch::async, [] {
        value = 2;
        invisible_step();
    });
    if (ordered)
        f.get();
    meet("async_");
}

static void packaged_task_()
{
    std::packaged_task<void()> task([] { before(); });
    auto f = task.get_future();
    std::thread t([&task] {
        task();
        after();
    });
    f.get();
    meet("packaged_task_");
    t.join();
}

// The last owner destroys after all others have let go.
static void shared_ptr_()
{
    first = std::shared_ptr<int>(new int(1));
    second = first;
    std::thread t([] {
        if (ordered)
            *second = 2;
        int *raw = second.get();
        second.reset();
        if (!ordered)
            *raw = 2; // main holds the other
        invisible_step();
    });
    invisible_wait(++steps);
    if (!ordered)
        fprintf(stderr, "== shared_ptr_\n");
    first.reset();
    t.join();
}

// Deleting conflicts with uses that are not ordered before it.
static void delete_()
{
    block = new int(1);
    std::thread t([] {
        *block = 2;
        invisible_step();
    });
    invisible_wait(++steps);
    if (ordered)
        t.join();
    else
        fprintf(stderr, "== delete_\n");
    delete block;
    if (!ordered)
        t.join();
}

static void aligned_delete_()
{
    wide = new Wide[2];
    std::thread t([] {
        wide[1].numbers[3] = 2;
        invisible_step();
    });
    invisible_wait(++steps);
    if (ordered)
        t.join();
    else
        fprintf(stderr, "== aligned_delete_\n");
    delete[] wide;
    if (!ordered)
        t.join();
}

static int calls_static()
{
    static int initial = (before(), 5);
    return initial;
}

static void static_local_()
{
    std::thread t([] {
        invisible_use(calls_static());
        flag.store(1, std::memory_order_relaxed);
        after();
    });
    while (!flag.load(std::memory_order_relaxed))
        ;
    invisible_use(calls_static());
    flag.store(0, std::memory_order_relaxed);
    meet("static_local_");
    t.join();
}

int main(int argc, char **)
{
    ordered = argc > 1;
    mutex_(), recursive_mutex_(), timed_mutex_(), shared_mutex_(), condition_variable_(), condition_variable_any_();
    call_once_(), promise_(), atomic_(), atomic_wait_(), atomic_fence_(), atomic_flag_(), latch_(), barrier_();
    counting_semaphore_(), binary_semaphore_(), catch_(), thread_(), jthread_(), async_(), packaged_task_();
    shared_ptr_(), delete_(), aligned_delete_(), static_local_();
    return 0;
}

// ALSO: thread_ jthread_ async_ packaged_task_ shared_ptr_ delete_ aligned_delete_ static_local_
