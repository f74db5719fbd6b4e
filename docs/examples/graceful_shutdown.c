// graceful_shutdown.c - a server that ends on SIGINT or SIGTERM: takes no more, finishes what it has, but not for ever.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The signal is a value on a channel like any other. Requests in work get a grace period; then their context is cancelled, and
// the slow one gives up. The program sends itself the signal, so that it can be a test.
#include <csp/csp.h>

#include <signal.h>
#include <stdio.h>

typedef struct request {
    int number;
    int64_t takes;
} request;

// Always 0: one request that was given up is no reason to cancel the others.
static int serve(csp_ctx *ctx, void *arg)
{
    request *r = arg;
    bool served = csp_sleep_ctx(r->takes, ctx); // stands for work
    printf("request %d %s\n", r->number, served ? "served" : "given up");
    return 0;
}

int main(void)
{
    csp_chan *stop = csp_chan_new(sizeof(int), 1);
    csp_signal_notify(stop, SIGINT);
    csp_signal_notify(stop, SIGTERM);

    csp_ctx *ctx = csp_ctx_with_cancel(NULL);
    csp_group *requests = csp_group_new(ctx);
    request quick = {1, 5 * CSP_MS}, slow = {2, 60 * CSP_SECOND};
    csp_group_go(requests, serve, &quick);
    csp_group_go(requests, serve, &slow);
    raise(SIGTERM);

    int sig;
    csp_recv(stop, &sig);
    printf("%s: no more requests\n", sig == SIGTERM ? "SIGTERM" : "SIGINT");
    csp_chan_free(stop); // from here on a second signal ends the program at once

    if (!csp_group_wait_until(requests, NULL, csp_now() + CSP_SECOND)) {
        csp_ctx_cancel_cause(ctx, sig);
        csp_group_wait(requests);
    }
    puts("bye");
    csp_group_free(requests);
    csp_ctx_free(ctx);
    return 0;
}
