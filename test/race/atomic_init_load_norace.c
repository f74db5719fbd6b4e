// atomic_init_load_norace.c - a load that acquires is itself ordered after what was before the store: the plain initialisation.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

#include <stdatomic.h>

atomic_int flag;

static void writer(void *arg)
{
    (void)arg;
    atomic_init(&flag, 0); // line: write
    __asm__ volatile("" ::: "memory"); // else the store above is dead
    atomic_store_explicit(&flag, 1, memory_order_release);
    invisible_step();
}

int main(void)
{
    csp_go(writer, NULL);
    invisible_wait(1);
    (void)atomic_load_explicit(&flag, memory_order_acquire); // line: read
    return 0;
}
