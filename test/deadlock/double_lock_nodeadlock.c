// double_lock_nodeadlock.c - a mutex that one coroutine locks, twice, and another unlocks, as Go allows; a limited wait for one's own.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include <csp/csp.h>

static csp_mutex m, own, signal;

static void unlocks(void *arg)
{
    csp_mutex_unlock(&m);
    csp_send(arg, NULL);
}

static void signals(void *arg)
{
    (void)arg;
    csp_sleep(CSP_MS);
    csp_mutex_unlock(&signal);
}

int main(void)
{
    csp_mutex_lock(&signal);
    csp_go(signals, NULL);
    csp_mutex_lock(&signal); // waits for that
    csp_chan *done = csp_chan_new(0, 1);
    csp_mutex_lock(&m);
    csp_go(unlocks, done);
    csp_recv(done, NULL);
    csp_mutex_lock(&m); // it is free, whoever locked it
    csp_go(unlocks, done);
    csp_mutex_lock(&m); // and now comes free: known to be handed on since the first time
    csp_mutex_unlock(&m);
    csp_recv(done, NULL);
    csp_mutex_lock(&own);
    if (csp_mutex_lock_until(&own, csp_now() + CSP_MS))
        return 1;
    csp_mutex_unlock(&own);
    csp_chan_free(done);
    return 0;
}
