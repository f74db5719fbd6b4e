// group_limit_place_norace.c - the k-th end happens before start number k + limit.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

int value;

// csp_count orders nothing.
INVISIBLE static void wait_for_count(size_t n)
{
    while (csp_count() > n)
        invisible_pause();
}

static int first(csp_ctx *ctx, void *arg)
{
    (void)ctx, (void)arg;
    value = 1; // line: write
    return 0;
}

static int second(csp_ctx *ctx, void *arg)
{
    (void)ctx, (void)arg;
    wait_for_count(2); // the first has ended
    return 0;
}

static int third(csp_ctx *ctx, void *arg)
{
    (void)ctx, (void)arg;
    invisible_use(value); // line: read
    return 0;
}

int main(void)
{
    csp_group *g = csp_group_new(NULL);
    csp_group_limit(g, 2);
    csp_group_go(g, first, NULL);
    csp_group_go(g, second, NULL);
    wait_for_count(1); // both have
    csp_group_go(g, third, NULL);
    csp_group_wait(g);
    csp_group_free(g);
    return 0;
}
