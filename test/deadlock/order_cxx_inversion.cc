// order_cxx_inversion.cc - std::mutex in two orders; std::scoped_lock of both takes them by tries, in no order.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %cspxx -fsanitize=cspthread -g -O1 %s -o %t
// RUN: sh -c "%t 2> %t.err; test \$? = 66" && FileCheck %s < %t.err
#include <atomic>
#include <mutex>
#include <thread>

static std::mutex a, b, c;
static std::atomic<bool> go;

static void forth()
{
    {
        std::lock_guard<std::mutex> first(a);
        std::lock_guard<std::mutex> second(b);
    }
    std::scoped_lock both(a, c);
}

static void back()
{
    while (!go.load(std::memory_order_relaxed)) // orders nothing
        std::this_thread::yield();
    {
        std::lock_guard<std::mutex> first(b);
        std::lock_guard<std::mutex> second(a);
    }
    std::scoped_lock both(c, a);
}

int main()
{
    std::thread one(forth), two(back);
    one.join();
    go.store(true, std::memory_order_relaxed);
    two.join();
    return 0;
}

// CHECK: {{^}}WARNING: CspThreadSanitizer: lock-order-inversion (potential deadlock) (pid={{[0-9]+}}){{$}}
// CHECK-DAG: forth{{.*}}order_cxx_inversion.cc:
// CHECK-DAG: back{{.*}}order_cxx_inversion.cc:
// CHECK: CspThreadSanitizer: reported 1 warnings
