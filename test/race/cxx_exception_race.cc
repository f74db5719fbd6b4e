// cxx_exception_race.cc - holding an exception together orders nothing: writing to it is a race.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %cspxx -fsanitize=cspthread -g -O1 %s -o %t
// RUN: not %t 2>&1 | FileCheck %s
#define INVISIBLE_THREADS
#include "invisible.h"

#include <exception>
#include <thread>

struct error {
    int n = 1;
};

static void change(std::exception_ptr held)
{
    try {
        std::rethrow_exception(held);
    } catch (error &e) {
        e.n++; // line: change
        invisible_step();
        invisible_wait(2); // before either lets go of it
    }
}

int main()
{
    std::exception_ptr held;
    try {
        throw error();
    } catch (...) {
        held = std::current_exception();
    }
    std::thread one(change, held), two(change, held);
    one.join();
    two.join();
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: data race
// CHECK: #0 change({{.*}}) {{.*}}cxx_exception_race.cc:20:
