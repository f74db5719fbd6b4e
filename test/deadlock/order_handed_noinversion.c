// order_handed_noinversion.c - a mutex that one locks and another unlocks, as csp_mutex allows: who locked it does not hold it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include <csp/csp.h>

static csp_mutex ticket, a;

static void unlocks(void *arg)
{
    csp_mutex_unlock(&ticket);
    csp_send(arg, NULL);
}

static void hand_on(void)
{
    csp_chan *done = csp_chan_new(0, 0);
    csp_mutex_lock(&ticket);
    csp_go(unlocks, done);
    csp_recv(done, NULL);
    csp_chan_free(done);
}

static void forth(void *arg)
{
    (void)arg;
    hand_on();
    csp_mutex_lock(&a); // the ticket is not held any more
    csp_mutex_unlock(&a);
}

static void back(void *arg)
{
    (void)arg;
    csp_mutex_lock(&a);
    hand_on();
    csp_mutex_unlock(&a);
}

int main(void)
{
    csp_go(forth, NULL);
    csp_go(back, NULL);
    return 0;
}
