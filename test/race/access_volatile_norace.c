// access_volatile_norace.c - volatile changes nothing where order is given.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

volatile int flag;
static csp_wg all;

static void other(void *arg)
{
    (void)arg;
    flag = 1; // line: write
    invisible_step();
    csp_wg_done(&all);
}

int main(void)
{
    csp_wg_add(&all, 1);
    csp_go(other, NULL);
    invisible_wait(1);
    csp_wg_wait(&all);
    invisible_use(flag); // line: read
    return 0;
}
