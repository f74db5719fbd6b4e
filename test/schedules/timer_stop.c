// timer_stop.c - a request ends, its timer is stopped, and its memory freed, though the timer had fired already.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Bug: csp_timer_stop says false when the function was started, and nobody listens.
// Order: the timer fires while the request is at its end.
// Depth: 2. Shows as: race.
// Source: grpc#3017 in GoKer (GoBench, CGO 2021): a timer that had fired is stopped.
#include <csp/csp.h>

#include <stdlib.h>

typedef struct request {
    csp_mutex lock;
    bool expired;
} request;

static csp_wg expiring;

static void expire(void *arg)
{
    request *r = arg;
    csp_mutex_lock(&r->lock);
    r->expired = true;
    csp_mutex_unlock(&r->lock);
    csp_wg_done(&expiring);
}

int main(void)
{
    request *r = calloc(1, sizeof *r);
    csp_wg_add(&expiring, 1);
    csp_timer *timer = csp_timer_new(8 * CSP_MS, expire, r);
    csp_sleep(CSP_MS); // the request's work
#ifdef FIXED
    if (!csp_timer_stop(timer))
        csp_wg_wait(&expiring);
#else
    csp_timer_stop(timer);
#endif
    csp_timer_free(timer);
    free(r);
    csp_yield();
    csp_sleep(CSP_MS);
    return 0;
}
