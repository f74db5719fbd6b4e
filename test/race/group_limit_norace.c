// group_limit_norace.c - with a limit of 1, the end of a function happens before the next one begins.
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
    csp_group_limit(g, 1);
    csp_group_go(g, writer, NULL);
    csp_group_go(g, reader, NULL);
    csp_group_wait(g);
    csp_group_free(g);
    return 0;
}
