// wg_norace.c - done happens before the wait it releases returns.
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

int main(void)
{
    csp_wg_add(&all, 1);
    csp_go(writer, NULL);
    csp_wg_wait(&all);
    invisible_wait(1);
    invisible_use(value); // line: read
    return 0;
}
