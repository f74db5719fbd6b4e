// wg.c - wait groups: a counter, and those who wait until it is 0.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// state is the count, its sign bit WAITED while somebody may be queued. Adding is one exchange, unless it takes the count to 0
// with WAITED set; that happens under the lock, which then lets the waiters go.
//
// Invariant   I1 while somebody is queued, the count is not 0 and WAITED is set. (Not the reverse: who gives up leaves it set; at
//             worst the last done takes the lock in vain.)
// Freeing     The group may be freed when a wait returns. A done that finds no waiter ends with its exchange. One that finds
//             some holds the lock when it makes the count 0; so a wait that sees 0 without the lock looks whether the lock is
//             free, and takes it when not. Who was waiting sleeps until the lock was released (rule W2).
// Ordering    E1 done: release on state -> wait: acquire on state; the exchanges in between continue the release sequence.
//
// Detector. Every done accumulates in the group's clock, which every wait joins: the counter is one atomic object, whose
// read-modify-writes continue one another's release sequence. A new clock each time the counter leaves 0 would be wrong: in
// add, go, add, go, wait the first coroutine may be done before the second add, and the wait is still ordered after both.
// An add that finds 0 and a wait that parks must be ordered by the program; they are shown to the detector as a read and a
// write of `first_add`, so that it reports them when they are not (as Go's does). The runtime with hooks does everything under
// the lock: there a clock must change together with the count.
#include "waitq.h"

#include "base/atomic.h"
#include "csp/go.h"

static const int64_t WAITED = INT64_MIN;

static cspi_lock *queue_lock(csp_wg *wg)
{
    return cspi_lock_of(&wg->lock);
}

static int64_t count_of(int64_t state)
{
    return state & ~WAITED;
}

// --- adding ---------------------------------------------------------------------------------------------------------------

// Adds n, unless the count would be below 0, or 0 with WAITED set: that needs the lock and clears WAITED. The state before in
// *was: it tells which.
static bool try_add(csp_wg *wg, int n, bool has_lock, int64_t *was)
{
    int64_t s = csp_load_rlx(&wg->state), next; // relaxed: a guess for the exchange
    do {
        next = count_of(s) + n;
        *was = s;
        if (next < 0 || (next == 0 && s < 0 && !has_lock))
            return false;
        if (next)
            next |= s & WAITED;
    } while (!csp_cas_acqrel(&wg->state, &s, next)); // E1; acquire: the last done wakes on behalf of all
    return true;
}

// Everything under the lock, with what the detector has to be told.
CSPI_IN_PUBLIC void add_slow(csp_wg *wg, int n)
{
    int64_t was;
    cspi_waiter *woken = NULL;
    cspi_lock_acquire(queue_lock(wg));
    if (n < 0)
        CSP_HOOK(release_merge, wg, NULL);
    bool added = try_add(wg, n, true, &was);
    if (added && count_of(was) + n == 0) {
        woken = cspi_waitq_grant_all(&wg->waiters);
        wg->noted = false;
    }
    for (cspi_waiter *w = woken; w; w = w->next)
        CSP_HOOK(acquire, wg, cspi_task(w->co));
    cspi_lock_release(queue_lock(wg));
    if (!added)
        csp_panic("sync: negative WaitGroup counter");
    cspi_waitq_ready_all(woken);
    if (was == 0 && n > 0)
        CSP_HOOK(read_range, &wg->first_add, sizeof wg->first_add);
}

CSPI_IN_PUBLIC void add(csp_wg *wg, int n)
{
    int64_t was;
    if (CSP_HOOKS || !try_add(wg, n, false, &was))
        add_slow(wg, n);
}

void csp_wg_add(csp_wg *wg, int n)
{
    CSPI_FRAME();
    CSPI_POINT(WG_ADD, wg);
    (void)CSP_HOOK_VALUE(take_site, NULL);
    add(wg, n);
}

void csp_wg_done(csp_wg *wg)
{
    CSPI_FRAME();
    CSPI_POINT(WG_ADD, wg);
    (void)CSP_HOOK_VALUE(take_site, NULL);
    add(wg, -1);
}

// --- waiting --------------------------------------------------------------------------------------------------------------

// The count is 0, and whoever made it so has let go of the group.
static bool is_over(csp_wg *wg)
{
    return csp_load_acq(&wg->state) == 0 && csp_load_acq(&wg->lock) == 0; // E1
}

// Caller holds the lock. False: the count is 0. True: whoever makes it 0 will look at the queue.
static bool mark_waited_locked(csp_wg *wg)
{
    for (;;) {
        int64_t s = csp_load_acq(&wg->state); // E1
        if (count_of(s) == 0)
            return false;
        if (s < 0 || csp_cas_rlx(&wg->state, &s, s | WAITED)) // relaxed: the queue is guarded by the lock
            return true;
    }
}

// Caller holds the lock, which is let go meanwhile: the access may be reported. The first wait only, until the counter is 0
// again: concurrent waits are fine among themselves.
CSPI_IN_PUBLIC void note_first_wait(csp_wg *wg)
{
    if (!CSP_HOOKS || count_of(csp_load_rlx(&wg->state)) == 0 || wg->noted) // relaxed: changed under the lock here
        return;
    wg->noted = true;
    cspi_lock_release(queue_lock(wg));
    CSP_HOOK(write_range, &wg->first_add, sizeof wg->first_add);
    cspi_lock_acquire(queue_lock(wg));
}

// giveup: NULL without a limit.
CSPI_IN_PUBLIC void wait_for_zero(csp_wg *wg, cspi_place *w, const cspi_giveup *giveup, const cspi_wait *wait)
{
    cspi_lock_acquire(queue_lock(wg));
    note_first_wait(wg);
    bool gave_up = giveup && giveup->why;
    bool parks = gave_up ? count_of(csp_load_acq(&wg->state)) != 0 : mark_waited_locked(wg); // E1
    if (!parks) {
        CSP_HOOK(acquire, wg, NULL);
        w->granted = true;
    }
    if (parks && !gave_up) {
        cspi_place_push(&wg->waiters, w);
        cspi_park(wait, queue_lock(wg));
    } else {
        cspi_lock_release(queue_lock(wg));
    }
}

void csp_wg_wait(csp_wg *wg)
{
    CSPI_FRAME();
    CSPI_POINT(WG_WAIT, wg);
    const csp_site *site = CSP_HOOK_VALUE(take_site, NULL);
    if (!CSP_HOOKS && is_over(wg))
        return;
    cspi_place w = {.base.co = cspi_self()};
    const cspi_wait wait = {.op = CSP_WAIT_WG, .obj = wg, .site = site};
    wait_for_zero(wg, &w, NULL, &wait);
}

CSPI_IN_PUBLIC bool wait_within(csp_wg *wg, cspi_limit limit, const csp_site *site)
{
    if (!CSP_HOOKS && is_over(wg))
        return true;
    cspi_place w = {.base.co = cspi_self()};
    cspi_limited l = {.place = &w, .lock = queue_lock(wg), .queue = &wg->waiters};
    const cspi_wait wait = {.op = CSP_WAIT_WG, .will_wake = cspi_limit_will_wake(&limit), .obj = wg, .site = site};
    bool begun = cspi_limited_begin(&l, &limit);
    wait_for_zero(wg, &w, &l.giveup, &wait);
    return cspi_limited_end(&l, begun);
}

bool csp_wg_wait_until(csp_wg *wg, int64_t at)
{
    CSPI_FRAME();
    CSPI_POINT(WG_WAIT, wg);
    return wait_within(wg, (cspi_limit){.until = at}, CSP_HOOK_VALUE(take_site, NULL));
}

bool csp_wg_wait_ctx(csp_wg *wg, csp_ctx *ctx)
{
    CSPI_FRAME();
    CSPI_POINT(WG_WAIT, wg);
    return wait_within(wg, (cspi_limit){.until = CSPI_NO_LIMIT, .ctx = ctx}, CSP_HOOK_VALUE(take_site, NULL));
}
