// group_wait_norace.c - the end of a group's function happens before the wait returns.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

int value;

static int writer(csp_ctx *ctx, void *arg)
{
    (void)ctx, (void)arg;
    value = 1; // line: write
    invisible_step();
    return 0;
}

int main(void)
{
    csp_group *g = csp_group_new(NULL);
    csp_group_go(g, writer, NULL);
    csp_group_wait(g);
    invisible_wait(1);
    invisible_use(value); // line: read
    csp_group_free(g);
    return 0;
}
