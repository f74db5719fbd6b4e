// access_heap_norace.c - different elements of a heap block do not conflict.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

#include <stdlib.h>

int *block;

static void other(void *arg)
{
    (void)arg;
    block[5] = 1; // line: write
    invisible_step();
}

int main(void)
{
    block = malloc(10 * sizeof(int)); // line: alloc
    csp_go(other, NULL);
    invisible_wait(1);
    block[6] = 1;
    invisible_use(block[6]);
    return 0;
}
