// ctx_cause_norace.c - a cancel happens before csp_ctx_cause tells its cause.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

int value;
static csp_ctx *ctx;

static void canceller(void *arg)
{
    (void)arg;
    value = 1; // line: write
    csp_ctx_cancel_cause(ctx, 7);
    invisible_step();
}

int main(void)
{
    ctx = csp_ctx_with_cancel(NULL);
    csp_go(canceller, NULL);
    invisible_wait(1);
    if (csp_ctx_cause(ctx) != 7)
        return 1;
    invisible_use(value); // line: read
    csp_ctx_free(ctx);
    return 0;
}
