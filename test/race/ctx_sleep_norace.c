// ctx_sleep_norace.c - a cancel happens before a csp_sleep_ctx returns because of it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

int value;
static csp_ctx *ctx;

static void canceller(void *arg)
{
    (void)arg;
    value = 1; // line: write
    csp_ctx_cancel(ctx);
    invisible_step();
}

int main(void)
{
    ctx = csp_ctx_with_cancel(NULL);
    csp_go(canceller, NULL);
    if (csp_sleep_ctx(CSP_MINUTE, ctx))
        return 1;
    invisible_wait(1);
    invisible_use(value); // line: read
    csp_ctx_free(ctx);
    return 0;
}
