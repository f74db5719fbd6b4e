// lock_and_channel.c - a producer sends while it holds the lock that the consumer needs before it receives again.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Bug: the channel is full, the producer waits for the consumer, the consumer for the lock.
// Order: the consumer is held up until the producer has sent one more than there is room for.
// Depth: 2. Shows as: asleep.
// Source: kubernetes#1321, istio#16224 and grpc#1460 in GoKer (GoBench, CGO 2021): a lock held over a channel
// operation.
#include <csp/csp.h>

enum { ITEMS = 3 };

static csp_mutex lock;
static csp_chan *items;
static int sent, handled;
static csp_wg both;

static void produce(void *arg)
{
    (void)arg;
    for (int i = 0; i < ITEMS; i++) {
        csp_mutex_lock(&lock);
        sent++;
#ifdef FIXED
        csp_mutex_unlock(&lock);
        csp_send(items, &i);
#else
        csp_send(items, &i);
        csp_mutex_unlock(&lock);
#endif
        if (i == 0)
            csp_sleep(CSP_MS);
    }
    csp_wg_done(&both);
}

static void consume(void *arg)
{
    (void)arg;
    for (int i = 0, item; i < ITEMS; i++) {
        csp_recv(items, &item);
        csp_mutex_lock(&lock);
        handled++;
        csp_mutex_unlock(&lock);
    }
    csp_wg_done(&both);
}

int main(void)
{
    items = csp_chan_new(sizeof(int), 1);
    csp_wg_add(&both, 2);
    csp_go(consume, NULL);
    csp_go(produce, NULL);
    csp_wg_wait(&both);
    return 0;
}
