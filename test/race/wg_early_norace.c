// wg_early_norace.c - a wait is ordered after every done before it, also when the counter touched 0 before the last add.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

int value;
static csp_wg all;

static void writer(void *arg)
{
    (void)arg;
    value = 1; // line: write
    csp_wg_done(&all);
    invisible_step();
}

static void other(void *arg)
{
    (void)arg;
    csp_wg_done(&all);
}

int main(void)
{
    csp_wg_add(&all, 1);
    csp_go(writer, NULL);
    invisible_wait(1);
    csp_wg_add(&all, 1);
    csp_go(other, NULL);
    csp_wg_wait(&all);
    invisible_use(value); // line: read
    return 0;
}
