// wg.c - wait groups: a counter, and those who wait until it is 0.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Everything happens under the lock, also a wait that finds 0: the last done may still be on its way out of the lock, and
// the group may be freed when the wait returns (rule W2).
//
// Detector. Every done accumulates in the group's clock, which every wait joins: the counter is one atomic object, whose
// read-modify-writes continue one another's release sequence. A new clock each time the counter leaves 0 would be wrong: in
// add, go, add, go, wait the first coroutine may be done before the second add, and the wait is still ordered after both.
// An add that finds 0 and a wait that parks must be ordered by the program; they are shown to the detector as a read and a
// write of `first_add`, so that it reports them when they are not (as Go's does).
#include "waitq.h"

#include "csp/go.h"

static cspi_lock *state_lock(csp_wg *wg)
{
    return cspi_lock_of(&wg->lock);
}

CSPI_IN_PUBLIC void add(csp_wg *wg, int n)
{
    cspi_lock_acquire(state_lock(wg));
    bool first = wg->count == 0 && n > 0;
    if (n < 0)
        CSP_HOOK(release_merge, wg, NULL);
    wg->count += n;
    if (wg->count < 0) {
        cspi_lock_release(state_lock(wg));
        csp_panic("sync: negative WaitGroup counter");
    }
    cspi_waiter *woken = NULL;
    if (wg->count == 0) {
        woken = cspi_waitq_take_all(&wg->waiters);
        wg->noted = false;
    }
    for (cspi_waiter *w = woken; w; w = w->next)
        CSP_HOOK(acquire, wg, cspi_task(w->co));
    cspi_lock_release(state_lock(wg));
    cspi_waitq_ready_all(woken);
    if (first)
        CSP_HOOK(read_range, &wg->first_add, sizeof wg->first_add);
}

void csp_wg_add(csp_wg *wg, int n)
{
    CSPI_FRAME();
    (void)CSP_HOOK_VALUE(take_site, NULL);
    add(wg, n);
}

void csp_wg_done(csp_wg *wg)
{
    CSPI_FRAME();
    (void)CSP_HOOK_VALUE(take_site, NULL);
    add(wg, -1);
}

// Caller holds the lock, which is let go meanwhile: the access may be reported. The first wait only, until the counter is 0
// again: concurrent waits are fine among themselves.
CSPI_IN_PUBLIC void note_first_wait(csp_wg *wg)
{
    if (!CSP_HOOKS || wg->count == 0 || wg->noted)
        return;
    wg->noted = true;
    cspi_lock_release(state_lock(wg));
    CSP_HOOK(write_range, &wg->first_add, sizeof wg->first_add);
    cspi_lock_acquire(state_lock(wg));
}

void csp_wg_wait(csp_wg *wg)
{
    CSPI_FRAME();
    const csp_site *site = CSP_HOOK_VALUE(take_site, NULL);
    cspi_lock_acquire(state_lock(wg));
    note_first_wait(wg);
    if (wg->count == 0) {
        CSP_HOOK(acquire, wg, NULL);
        cspi_lock_release(state_lock(wg));
        (void)site;
        return;
    }
    cspi_waiter w = {.co = cspi_self()};
    const cspi_wait wait = {.op = CSP_WAIT_WG, .obj = wg, .site = site};
    cspi_waitq_push(&wg->waiters, &w);
    cspi_park(&wait, state_lock(wg));
}
