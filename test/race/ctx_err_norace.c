// ctx_err_norace.c - csp_ctx_err that is not 0 is ordered after the cancel.
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
    invisible_wait(1);
    if (csp_ctx_err(ctx) == 0)
        return 1;
    invisible_use(value); // line: read
    return 0;
}
