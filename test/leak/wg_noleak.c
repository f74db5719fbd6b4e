// wg_noleak.c - a wait group that reaches zero.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include <csp/csp.h>

static csp_wg all;

static void waiter(void *arg)
{
    (void)arg;
    csp_wg_wait(&all); // line: park
}

int main(void)
{
    csp_wg_add(&all, 1);
    csp_go(waiter, NULL); // line: go
    csp_wg_done(&all);
    return 0;
}
