// atomic_exchange_norace.c - an exchange with acquire and release order is both.
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
    atomic_exchange_explicit(&flag, 1, memory_order_acq_rel);
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
