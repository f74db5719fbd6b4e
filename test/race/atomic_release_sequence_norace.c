// atomic_release_sequence_norace.c - a read-modify-write of another coroutine, even a relaxed one, continues the release sequence.
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
    atomic_store_explicit(&flag, 1, memory_order_release);
    invisible_step();
}

static void bump(void *arg)
{
    (void)arg;
    invisible_wait(1);
    atomic_fetch_add_explicit(&flag, 1, memory_order_relaxed);
    invisible_step();
}

int main(void)
{
    csp_go(writer, NULL);
    csp_go(bump, NULL);
    invisible_wait(2);
    while (atomic_load_explicit(&flag, memory_order_acquire) != 2)
        invisible_pause();
    invisible_use(value); // line: read
    return 0;
}
