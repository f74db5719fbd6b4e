// access_stack_norace.c - a variable on a stack may be shared with the right order.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

static csp_wg all;

static void other(void *arg)
{
    *(int *)arg = 1; // line: write
    invisible_step();
    csp_wg_done(&all);
}

int main(void)
{
    int local = 0;
    csp_wg_add(&all, 1);
    csp_go(other, &local);
    invisible_wait(1);
    csp_wg_wait(&all);
    invisible_use(local); // line: read
    return 0;
}
