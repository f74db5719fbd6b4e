// ctx_cancel_norace.c - a cancel happens before a receive from done returns.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

int value;
static csp_ctx *ctx;

static void writer(void *arg)
{
    (void)arg;
    value = 1; // line: write
    csp_ctx_cancel(ctx);
    invisible_step();
}

int main(void)
{
    ctx = csp_ctx_with_cancel(csp_ctx_background());
    csp_go(writer, NULL);
    csp_recv(csp_ctx_done(ctx), NULL);
    invisible_wait(1);
    invisible_use(value); // line: read
    csp_ctx_free(ctx);
    return 0;
}
