// lost_token.c - a consumer takes all items, throws an old wake-up away, and sleeps until the next.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Bug: the wake-up it throws away is the one for an item that came after it had looked.
// Order: the queue is emptied; an item comes with its token; the token is thrown away.
// Depth: 2. Shows as: asleep.
// Source: lost wake-up with a coalescing token; grpc#1460 in GoKer for the shape.
#include <csp/csp.h>

static csp_mutex lock;
static int queued;
static csp_chan *wake;
static csp_wg both;

static void produce(void *arg)
{
    (void)arg;
    for (int i = 0; i < 2; i++) {
        csp_mutex_lock(&lock);
        queued++;
        csp_mutex_unlock(&lock);
        csp_try_send(wake, NULL); // one token is enough
    }
    csp_wg_done(&both);
}

static int take_all(void)
{
    csp_mutex_lock(&lock);
    int taken = queued;
    queued = 0;
    csp_mutex_unlock(&lock);
    return taken;
}

static void consume(void *arg)
{
    (void)arg;
    for (int handled = 0;;) {
        handled += take_all();
        if (handled == 2)
            break;
#ifndef FIXED
        csp_try_recv(wake, NULL);
#endif
        csp_recv(wake, NULL);
    }
    csp_wg_done(&both);
}

int main(void)
{
    wake = csp_chan_new(0, 1);
    csp_wg_add(&both, 2);
    csp_go(consume, NULL);
    csp_go(produce, NULL);
    csp_wg_wait(&both);
    return 0;
}
