// atomic_cas_norace.c - a compare-and-swap that succeeds with release order publishes.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

#include <stdatomic.h>

int value;
atomic_int flag;

static void writer(void *arg)
{
    (void)arg;
    value = 1; // line: write
    int expected = 0;
    atomic_compare_exchange_strong_explicit(&flag, &expected, 1, memory_order_release, memory_order_relaxed);
    invisible_step();
}

int main(void)
{
    csp_go(writer, NULL);
    while (atomic_load_explicit(&flag, memory_order_acquire) != 1)
        invisible_pause();
    invisible_use(value); // line: read
    return 0;
}
