// fan_out.c - one source, many coroutines that take from it: whoever is free takes the next.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each counts in a variable of its own and hands it over at the end, so nothing is shared while they work.
#include <csp/csp.h>

#include <stdio.h>

enum { TAKERS = 3, ITEMS = 30 };

static csp_chan *items, *counts;

static void take(void *unused)
{
    (void)unused;
    int item, mine = 0;
    CSP_RANGE(item, items) {
        mine++;
        csp_yield(); // as work would
    }
    csp_send(counts, &mine);
}

int main(void)
{
    items = csp_chan_new(sizeof(int), 0);
    counts = csp_chan_new(sizeof(int), TAKERS);
    for (int i = 0; i < TAKERS; i++)
        csp_go(take, NULL);
    for (int i = 0; i < ITEMS; i++)
        csp_send(items, &i);
    csp_close(items);

    int total = 0;
    for (int i = 0; i < TAKERS; i++) {
        int count;
        csp_recv(counts, &count);
        total += count;
    }
    printf("%d items taken by %d\n", total, TAKERS);
    csp_chan_free(items);
    csp_chan_free(counts);
    return 0;
}
