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

void csp_cond_wait(csp_cond *cond, csp_mutex *m)
{
    CSPI_FRAME();
    const csp_site *site = CSP_HOOK_VALUE(take_site, NULL);
    cspi_waiter w = {.co = cspi_self()};
    const cspi_wait wait = {.op = CSP_WAIT_COND, .obj = cond, .site = site};
    cspi_lock_acquire(queue_lock(cond));
    cspi_waitq_push(&cond->waiters, &w);
    cspi_mutex_unlock(m);
    cspi_park(&wait, queue_lock(cond));
    cspi_mutex_lock(m, site);
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
    wake_and_unlock(cond, cspi_waitq_pop(&cond->waiters));
}

void csp_cond_broadcast(csp_cond *cond)
{
    CSPI_FRAME();
    (void)CSP_HOOK_VALUE(take_site, NULL);
    cspi_lock_acquire(queue_lock(cond));
    wake_and_unlock(cond, cspi_waitq_take_all(&cond->waiters));
}
