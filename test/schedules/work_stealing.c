// work_stealing.c - the owner of a queue takes from one end, a thief from the other; both take the last item.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Bug: the owner does not compete for the last item, as the thief does.
// Order: the thief has read head and tail; the owner takes the last item; the thief's exchange succeeds.
// Depth: 2. Shows as: crash.
// Source: the work-stealing queue of CHESS, Musuvathi et al., OSDI 2008; Chase and Lev, SPAA 2005.
#include <csp/csp.h>

#include <assert.h>
#include <stdatomic.h>

enum { ITEMS = 2 };

static atomic_int head, tail; // items lie in [head, tail)
static atomic_int taken[ITEMS];
static csp_wg both;

static void take_item(int i)
{
    assert(atomic_exchange(&taken[i], 1) == 0);
}

static void own(void *arg)
{
    (void)arg;
    for (int n = 0; n < ITEMS; n++) {
        int last = atomic_fetch_sub(&tail, 1) - 1;
        int first = atomic_load(&head);
        if (first < last) {
            take_item(last);
            continue;
        }
#ifdef FIXED
        bool mine = first == last && atomic_compare_exchange_strong(&head, &first, first + 1);
#else
        bool mine = first == last;
#endif
        atomic_store(&tail, last + 1); // empty
        if (mine)
            take_item(last);
#ifndef FIXED
        atomic_store(&head, last + 1);
#endif
        break;
    }
    csp_wg_done(&both);
}

static void steal(void *arg)
{
    (void)arg;
    int first = atomic_load(&head);
    if (first < atomic_load(&tail) && atomic_compare_exchange_strong(&head, &first, first + 1))
        take_item(first);
    csp_wg_done(&both);
}

int main(void)
{
    atomic_store(&tail, ITEMS);
    csp_wg_add(&both, 2);
    csp_go(own, NULL);
    csp_go(steal, NULL);
    csp_wg_wait(&both);
    return 0;
}
