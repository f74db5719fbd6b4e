// shutdown_order.c - a consumer that polls leaves when the queue is empty and the producer has ended, asked in this order.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Bug: between the two questions the producer sends its last item and ends.
// Order: the queue is found empty, the item is sent, the producer is found to have ended.
// Depth: 2. Shows as: crash.
// Source: producer/consumer shutdown; order violation, Lu et al., ASPLOS 2008.
#include <csp/csp.h>

#include <assert.h>
#include <stdatomic.h>

static csp_chan *items;
static atomic_bool ended;
static int consumed;
static csp_wg both;

static void produce(void *arg)
{
    (void)arg;
    for (int i = 0; i < 3; i++)
        csp_send(items, &i);
    atomic_store(&ended, true);
    csp_wg_done(&both);
}

static void consume(void *arg)
{
    (void)arg;
    for (;;) {
        int item;
#ifdef FIXED
        bool last = atomic_load(&ended);
        bool got = csp_try_recv(items, &item) == 1;
#else
        bool got = csp_try_recv(items, &item) == 1;
        bool last = !got && atomic_load(&ended);
#endif
        if (got)
            consumed++;
        else if (last)
            break;
        else
            csp_yield();
    }
    csp_wg_done(&both);
}

int main(void)
{
    items = csp_chan_new(sizeof(int), 3);
    csp_wg_add(&both, 2);
    csp_go(consume, NULL);
    csp_go(produce, NULL);
    csp_wg_wait(&both);
    assert(consumed == 3);
    return 0;
}
