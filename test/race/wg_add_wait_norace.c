// wg_add_wait_norace.c - an add that happens before the wait is what a wait group wants.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

static csp_wg group;

static void worker(void *arg)
{
    (void)arg;
    invisible_step();
    invisible_wait(2);
    csp_wg_done(&group);
}

static void lets_go(void *arg)
{
    (void)arg;
    invisible_settle();
    invisible_step();
}

int main(void)
{
    csp_wg_add(&group, 1);
    csp_go(worker, NULL);
    invisible_wait(1);
    csp_go(lets_go, NULL);
    csp_wg_wait(&group); // line: wait
    return 0;
}
