// deadline.c - an operation that is stopped by its context's deadline.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The operation waits for its next step or for the end of its context, whichever comes first, and says why it stopped.
#include <csp/csp.h>

#include <errno.h>
#include <stdio.h>

// Would take a minute. Returns 0, or why the context ended: ETIMEDOUT or ECANCELED.
static int slow_operation(csp_ctx *ctx)
{
    switch (CSP_SELECT(csp_case_after(60 * CSP_SECOND), csp_case_recv(csp_ctx_done(ctx), NULL, NULL))) {
    case 0:
        return 0;
    default:
        return csp_ctx_err(ctx);
    }
}

int main(void)
{
    csp_ctx *ctx = csp_ctx_with_timeout(csp_ctx_background(), 20 * CSP_MS);
    int err = slow_operation(ctx);
    printf("%s\n", err == ETIMEDOUT ? "deadline exceeded" : err == ECANCELED ? "cancelled" : "finished");
    csp_ctx_free(ctx);
    return 0;
}
