// atomic_seq_cst_norace.c - a sequentially consistent store and load order like release and acquire.
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
    atomic_store(&flag, 1);
    invisible_step();
}

int main(void)
{
    csp_go(writer, NULL);
    while (atomic_load(&flag) != 1)
        invisible_pause();
    invisible_use(value); // line: read
    return 0;
}
