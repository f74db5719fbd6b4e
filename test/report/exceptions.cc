// exceptions.cc - the program keeps its own unwinder: exceptions work under the sanitizer, and stacks heal after them.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %cspxx -fsanitize=cspthread -g -O1 %s -o %t
// RUN: not %t 2>&1 | FileCheck %s
#include <csp/csp.h>

#include <stdexcept>

int value;
static csp_wg all;

__attribute__((noinline)) static void fail(int depth)
{
    if (depth == 0)
        throw std::runtime_error("as planned");
    fail(depth - 1);
    value = 2;
}

static void work(void *)
{
    try {
        fail(5);
    } catch (const std::exception &) {
        value = 1; // the stack below shows no frame of fail()
    }
    csp_wg_done(&all);
}

int main()
{
    csp_wg_add(&all, 2);
    csp_go(work, nullptr);
    csp_go(work, nullptr);
    csp_wg_wait(&all);
}

// CHECK: Write of size 4
// CHECK-NEXT: #0 work(void*) {{.*}}exceptions.cc:
// CHECK-EMPTY:
// CHECK: Previous write of size 4
// CHECK-NEXT: #0 work(void*) {{.*}}exceptions.cc:
// CHECK-EMPTY:
// CHECK: reported 1 warnings
