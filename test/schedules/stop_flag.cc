// stop_flag.cc - std::condition_variable: the flag that ends the wait is atomic, and set without the lock.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Bug: the wait's predicate is asked, then the flag is set and everybody notified, then the thread goes to sleep.
// Order: the flag is set between the predicate and the wait.
// Depth: 2. Shows as: deadlock.
// Source: lost notification; Tu et al., ASPLOS 2019, section 5.1 (condition variables). C++ threads only.
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

static std::mutex lock;
static std::condition_variable changed;
static std::atomic<bool> stop;

static void serve()
{
    std::unique_lock<std::mutex> guard(lock);
    changed.wait(guard, [] { return stop.load(); });
}

int main()
{
    std::thread server(serve);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
#ifdef FIXED
    lock.lock();
    stop = true;
    lock.unlock();
#else
    stop = true;
#endif
    changed.notify_all();
    server.join();
    return 0;
}
