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

static cspi_lock *queue_lock(csp_cond *cond)
{
    return cspi_lock_of(&cond->lock);
}

// Caller holds the queue lock, which this releases, and m.
CSPI_IN_PUBLIC void park_unlocked(csp_cond *cond, csp_mutex *m, cspi_place *w, const cspi_wait *wait)
{
    cspi_place_push(&cond->waiters, w);
    cspi_mutex_unlock(m);
    cspi_park(wait, queue_lock(cond));
}

void csp_cond_wait(csp_cond *cond, csp_mutex *m)
{
    CSPI_FRAME();
    CSPI_POINT(COND_WAIT, cond);
    const csp_site *site = CSP_HOOK_VALUE(take_site, NULL);
    cspi_place w = {.base.co = cspi_self()};
    const cspi_wait wait = {.op = CSP_WAIT_COND, .obj = cond, .site = site};
    cspi_lock_acquire(queue_lock(cond));
    park_unlocked(cond, m, &w, &wait);
    cspi_mutex_lock(m, site);
}

CSPI_IN_PUBLIC bool wait_within(csp_cond *cond, csp_mutex *m, cspi_limit limit, const csp_site *site)
{
    cspi_place w = {.base.co = cspi_self()};
    cspi_limited l = {.place = &w, .lock = queue_lock(cond), .queue = &cond->waiters};
    const cspi_wait wait = {.op = CSP_WAIT_COND, .will_wake = cspi_limit_will_wake(&limit), .obj = cond, .site = site};
    bool begun = cspi_limited_begin(&l, &limit), parks = false;
    if (begun) {
        cspi_lock_acquire(queue_lock(cond));
        parks = !l.giveup.why;
        if (parks)
            park_unlocked(cond, m, &w, &wait);
        else
            cspi_lock_release(queue_lock(cond));
    }
    if (parks)
        cspi_mutex_lock(m, site);
    return cspi_limited_end(&l, begun);
}

bool csp_cond_wait_until(csp_cond *cond, csp_mutex *m, int64_t at)
{
    CSPI_FRAME();
    CSPI_POINT(COND_WAIT, cond);
    return wait_within(cond, m, (cspi_limit){.until = at}, CSP_HOOK_VALUE(take_site, NULL));
}

bool csp_cond_wait_ctx(csp_cond *cond, csp_mutex *m, csp_ctx *ctx)
{
    CSPI_FRAME();
    CSPI_POINT(COND_WAIT, cond);
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
    CSPI_POINT(SIGNAL, cond);
    (void)CSP_HOOK_VALUE(take_site, NULL);
    cspi_lock_acquire(queue_lock(cond));
    wake_and_unlock(cond, cspi_waitq_grant(&cond->waiters));
}

void csp_cond_broadcast(csp_cond *cond)
{
    CSPI_FRAME();
    CSPI_POINT(BROADCAST, cond);
    (void)CSP_HOOK_VALUE(take_site, NULL);
    cspi_lock_acquire(queue_lock(cond));
    wake_and_unlock(cond, cspi_waitq_grant_all(&cond->waiters));
}
