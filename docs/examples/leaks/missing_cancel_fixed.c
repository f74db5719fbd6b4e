// missing_cancel_fixed.c - who makes a context cancels it on every path; freeing the last reference cancels, too.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <csp/csp.h>
#include <stdio.h>

typedef struct job {
    csp_ctx *ctx;
    csp_chan *results;
} job;

static void count(void *arg)
{
    job *j = arg;
    for (int i = 1;; i++)
        if (CSP_SELECT(csp_case_send(j->results, &i), csp_case_recv(csp_ctx_done(j->ctx), NULL, NULL)) == 1)
            return;
}

int main(void)
{
    static job j;
    int first;
    j.ctx = csp_ctx_with_cancel(csp_ctx_background());
    j.results = csp_chan_new(sizeof(int), 0);
    csp_go(count, &j);
    csp_recv(j.results, &first);
    printf("%d\n", first);
    csp_ctx_cancel(j.ctx);
    return 0;
}
