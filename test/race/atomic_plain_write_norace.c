// atomic_plain_write_norace.c - atomic accesses never race with each other, whatever their order.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

#include <stdatomic.h>

atomic_int flag;

// The same object without its atomicity, as a forgotten cast or a memcpy would see it.
__attribute__((unused)) static inline int *plain(atomic_int *a)
{
    return (int *)a;
}

static void writer(void *arg)
{
    (void)arg;
    atomic_store_explicit(&flag, 1, memory_order_relaxed);
    invisible_step();
}

int main(void)
{
    csp_go(writer, NULL);
    invisible_wait(1);
    (void)atomic_load_explicit(&flag, memory_order_relaxed); // line: read
    return 0;
}
