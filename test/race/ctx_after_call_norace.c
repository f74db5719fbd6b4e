// ctx_after_call_norace.c - csp_ctx_after happens before the function it arranges.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

int value;
static csp_ctx *ctx;

static void reader(void *arg)
{
    (void)arg;
    invisible_wait(2);
    invisible_use(value); // line: read
    invisible_step();
}

static void canceller(void *arg)
{
    (void)arg;
    invisible_wait(1);
    csp_ctx_cancel(ctx);
    invisible_step();
}

int main(void)
{
    ctx = csp_ctx_with_cancel(NULL);
    csp_go(canceller, NULL);
    value = 1; // line: write
    csp_ctx_call *call = csp_ctx_after(ctx, reader, NULL);
    invisible_step();
    invisible_wait(3);
    csp_ctx_call_free(call);
    return 0;
}
