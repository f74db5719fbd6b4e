// atomic_fence_release_norace.c - a release fence makes a later relaxed store publish what came before the fence.
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
    atomic_thread_fence(memory_order_release);
    atomic_store_explicit(&flag, 1, memory_order_relaxed);
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
