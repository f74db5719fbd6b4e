// cond.c - conditions: wait, with the mutex released, until somebody signals.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A waiter is queued before it unlocks the mutex, and the condition's lock is held until it is parked; so a signal given
// under the mutex cannot be missed, and whoever finds a waiter in the queue finds it parked. Lock order: a condition's lock,
// then a mutex's queue lock.
//
// Detector. A signal orders the signaller before the one it woke and nobody else: the edge runs through the waiter, not
// through the condition.
#include "waitq.h"

#include "csp/errno.h"
#include "limit.h"

// One that may give up.
struct limited_waiter {
    cspi_giveup giveup; // first: abandon finds us
    cspi_claimed_waiter w;
    csp_cond *cond;
};

static cspi_lock *queue_lock(csp_cond *cond)
{
    return cspi_lock_of(&cond->lock);
}

// Caller holds the queue lock, which this releases, and m.
CSPI_IN_PUBLIC void park_unlocked(csp_cond *cond, csp_mutex *m, cspi_claimed_waiter *w, const cspi_wait *wait)
{
    w->queued = true;
    cspi_waitq_push(&cond->waiters, &w->base);
    cspi_mutex_unlock(m);
    cspi_park(wait, queue_lock(cond));
}

void csp_cond_wait(csp_cond *cond, csp_mutex *m)
{
    CSPI_FRAME();
    const csp_site *site = CSP_HOOK_VALUE(take_site, NULL);
    cspi_claimed_waiter w = {.base.co = cspi_self()};
    const cspi_wait wait = {.op = CSP_WAIT_COND, .obj = cond, .site = site};
    cspi_lock_acquire(queue_lock(cond));
    park_unlocked(cond, m, &w, &wait);
    cspi_mutex_lock(m, site);
}

static void abandon_wait(cspi_giveup *g, int why)
{
    struct limited_waiter *l = (struct limited_waiter *)g;
    if (!cspi_waiter_claim(&l->w))
        return; // signalled: the condition may be gone
    csp_cond *cond = l->cond;
    cspi_lock_acquire(queue_lock(cond));
    g->why = why;
    bool queued = l->w.queued;
    if (queued)
        cspi_waitq_remove(&cond->waiters, &l->w.base);
    csp_co *co = l->w.base.co;
    cspi_lock_release(queue_lock(cond));
    if (queued)
        cspi_ready(co);
}

CSPI_IN_PUBLIC bool wait_within(csp_cond *cond, csp_mutex *m, cspi_limit limit, const csp_site *site)
{
    struct limited_waiter l = {.cond = cond, .w = {.base.co = cspi_self(), .may_give_up = true}};
    const cspi_wait wait = {.op = CSP_WAIT_COND, .will_wake = cspi_limit_will_wake(&limit), .obj = cond, .site = site};
    if (cspi_giveup_arm(&l.giveup, &limit, abandon_wait)) {
        cspi_lock_acquire(queue_lock(cond));
        bool in_time = !l.giveup.why;
        if (in_time)
            park_unlocked(cond, m, &l.w, &wait);
        else
            cspi_lock_release(queue_lock(cond));
        cspi_giveup_disarm(&l.giveup);
        if (in_time)
            cspi_mutex_lock(m, site);
    }
    if (!l.w.granted)
        errno = l.giveup.why;
    return l.w.granted;
}

bool csp_cond_wait_until(csp_cond *cond, csp_mutex *m, int64_t at)
{
    CSPI_FRAME();
    return wait_within(cond, m, (cspi_limit){.until = at}, CSP_HOOK_VALUE(take_site, NULL));
}

bool csp_cond_wait_ctx(csp_cond *cond, csp_mutex *m, csp_ctx *ctx)
{
    CSPI_FRAME();
    return wait_within(cond, m, (cspi_limit){.until = CSPI_NO_LIMIT, .ctx = ctx}, CSP_HOOK_VALUE(take_site, NULL));
}

// Wakes a list of waiters that were taken off the queue, releasing the lock that keeps them parked.
static void wake_and_unlock(csp_cond *cond, cspi_waiter *list)
{
    for (cspi_waiter *w = list; w; w = w->next) {
        CSP_HOOK(release, w, NULL);
        CSP_HOOK(acquire, w, cspi_task(w->co));
        CSP_HOOK(sync_reset, w); // its stack will hold other things
    }
    cspi_lock_release(queue_lock(cond));
    cspi_waitq_ready_all(list);
}

void csp_cond_signal(csp_cond *cond)
{
    CSPI_FRAME();
    (void)CSP_HOOK_VALUE(take_site, NULL);
    cspi_lock_acquire(queue_lock(cond));
    wake_and_unlock(cond, cspi_waitq_grant(&cond->waiters));
}

void csp_cond_broadcast(csp_cond *cond)
{
    CSPI_FRAME();
    (void)CSP_HOOK_VALUE(take_site, NULL);
    cspi_lock_acquire(queue_lock(cond));
    wake_and_unlock(cond, cspi_waitq_grant_all(&cond->waiters));
}
