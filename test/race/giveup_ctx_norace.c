// giveup_ctx_norace.c - giving up because of a cancellation is ordered after it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

int value;
static csp_ctx *ctx;
static csp_mutex held;

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
    csp_mutex_lock(&held);
    csp_go(writer, NULL);
    if (csp_mutex_lock_ctx(&held, ctx))
        return 1;
    invisible_wait(1);
    invisible_use(value); // line: read
    return 0;
}
