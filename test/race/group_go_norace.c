// group_go_norace.c - csp_group_go happens before its function.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

int value;

static int reader(csp_ctx *ctx, void *arg)
{
    (void)ctx, (void)arg;
    invisible_wait(1);
    invisible_use(value); // line: read
    return 0;
}

int main(void)
{
    csp_group *g = csp_group_new(NULL);
    value = 1; // line: write
    csp_group_go(g, reader, NULL);
    invisible_step();
    csp_group_wait(g);
    csp_group_free(g);
    return 0;
}
