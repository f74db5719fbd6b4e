// access_recursion_norace.c - recursion by itself is no reason for a report.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

int value;
static csp_wg all;

__attribute__((noinline)) static int descend(int depth)
{
    if (depth == 0) {
        value = 1; // line: write
        return 0;
    }
    return descend(depth - 1) + 1;
}

static void other(void *arg)
{
    (void)arg;
    invisible_use(descend(100));
    invisible_step();
    csp_wg_done(&all);
}

int main(void)
{
    csp_wg_add(&all, 1);
    csp_go(other, NULL);
    invisible_wait(1);
    csp_wg_wait(&all);
    invisible_use(value); // line: read
    return 0;
}
