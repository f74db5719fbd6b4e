// stdio_norace.c - printing from many coroutines is safe: the C library locks its streams.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

#include <stdio.h>

static csp_wg all;

static void work(void *arg)
{
    printf("%p\n", arg);
    csp_wg_done(&all);
}

int main(void)
{
    csp_wg_add(&all, 20);
    for (int i = 0; i < 20; i++)
        csp_go(work, NULL);
    csp_wg_wait(&all);
    return 0;
}
