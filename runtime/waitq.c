// waitq.c - giving up a place in a queue.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "waitq.h"

#include "csp/errno.h"

// On a scheduler's or a canceller's thread.
static void abandon_place(cspi_giveup *g, int why)
{
    cspi_limited *l = (cspi_limited *)g;
    cspi_place *p = l->place;
    cspi_lock_acquire(l->lock);
    bool was_queued = p->queued;
    cspi_waiter *others = NULL;
    if (!p->granted)
        g->why = why;
    if (was_queued) {
        p->queued = false;
        cspi_waitq_remove(l->queue, &p->base);
        if (l->left)
            others = l->left(l->obj);
    }
    csp_co *co = p->base.co;
    cspi_lock_release(l->lock);
    cspi_waitq_ready_all(others);
    if (was_queued) // else it is running, and finds why under the lock
        cspi_ready(co);
}

bool cspi_limited_begin(cspi_limited *l, const cspi_limit *limit)
{
    return cspi_giveup_arm(&l->giveup, limit, abandon_place);
}

bool cspi_limited_end(cspi_limited *l, bool begun)
{
    bool granted = l->place->granted;
    if (begun) {
        if (granted)
            l->giveup.why = 0; // granted after all: nothing was observed of a cancellation
        cspi_giveup_disarm(&l->giveup);
    }
    if (!granted)
        errno = l->giveup.why;
    return granted;
}
