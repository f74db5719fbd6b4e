// once.c - run something once; everybody else waits until it has run.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ordering  E1 the runner: store-release of DONE -> a later call: load-acquire of state; carries what fn wrote. Those who
//           parked get it through the queue's lock and the scheduler.
#include "waitq.h"

#include "base/atomic.h"

enum { FRESH, RUNNING, DONE };

static cspi_lock *queue_lock(csp_once *once)
{
    return cspi_lock_of(&once->lock);
}

static void run(csp_once *once, void (*fn)(void *), void *arg)
{
    fn(arg);
    cspi_lock_acquire(queue_lock(once));
    CSP_HOOK(release, once, NULL);
    csp_store_rel(&once->state, (uint32_t)DONE); // E1
    cspi_waiter *woken = cspi_waitq_take_all(&once->waiters);
    for (cspi_waiter *w = woken; w; w = w->next)
        CSP_HOOK(acquire, once, cspi_task(w->co));
    cspi_lock_release(queue_lock(once));
    cspi_waitq_ready_all(woken);
}

// True: the caller is the one that runs it. False: it has run.
static bool become_runner(csp_once *once, const csp_site *site)
{
    cspi_lock_acquire(queue_lock(once));
    uint32_t state = once->state; // plain: changes only under the queue lock
    if (state == RUNNING) {
        cspi_waiter w = {.co = cspi_self()};
        const cspi_wait wait = {.op = CSP_WAIT_ONCE, .obj = once, .site = site};
        cspi_waitq_push(&once->waiters, &w);
        cspi_park(&wait, queue_lock(once)); // the runner acquired for us
        return false;
    }
    if (state == FRESH)
        csp_store_rlx(&once->state, (uint32_t)RUNNING); // relaxed: nothing is published yet
    else
        CSP_HOOK(acquire, once, NULL);
    cspi_lock_release(queue_lock(once));
    return state == FRESH;
}

void csp_once_do(csp_once *once, void (*fn)(void *), void *arg)
{
    CSPI_FRAME();
    CSPI_POINT(ONCE, once);
    const csp_site *site = CSP_HOOK_VALUE(take_site, NULL);
    // The lock too: the runner lets go of it last, and our caller may free *once when we return (rule W2).
    if (csp_load_acq(&once->state) == DONE && csp_load_acq(&once->lock) == 0) // E1
        CSP_HOOK(acquire, once, NULL);
    else if (become_runner(once, site))
        run(once, fn, arg);
}
