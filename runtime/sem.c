// sem.c - a weighted semaphore, strictly first come, first served.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// permits is one word: how many are left, and the sign bit WAITED. While nobody waits, taking and returning are one exchange
// each; while somebody does, everything happens under the lock.
//
// Invariants  I1 WAITED is set exactly while somebody is queued; both change under the lock.
//             I2 while WAITED is set, permits changes under the lock only, and the first in the queue wants more than there are.
// Freeing     The fast exchanges are the last touch. A release that finds waiters touches *s last when it lets go of the lock:
//             whoever it served sleeps still, and who was not served needs that lock.
// Ordering    E1 release: release on permits -> acquire: acquire on permits; exchanges continue the release sequence. Those who
//             were queued get it through the lock and the scheduler.
//
// Detector. Releases accumulate in the semaphore's clock and every acquire joins all of it. That is more order than there is
// (rule F1 asks for a queue of released units with their clocks): races across unrelated permits are missed, none is invented.
// The runtime with hooks does everything under the lock: there the clock must change together with the permits.
#include "waitq.h"

#include "base/atomic.h"
#include "csp/errno.h"
#include "csp/go.h"
#include "limit.h"

static const int64_t WAITED = INT64_MIN;

struct sem_waiter {
    cspi_waiter base;
    int64_t wanted;
    // --- under the lock
    bool queued;
    bool granted;
};

// One that may give up.
struct limited_waiter {
    cspi_giveup giveup; // first: abandon finds us
    struct sem_waiter w;
    csp_sem *s;
};

static cspi_lock *queue_lock(csp_sem *s)
{
    return cspi_lock_of(&s->lock);
}

static void check_amount(int64_t k)
{
    if (k < 0)
        csp_panic("csp_sem: negative number of permits");
}

static int64_t add_permits(int64_t permits, int64_t k)
{
    int64_t sum;
    if (__builtin_add_overflow(permits, k, &sum))
        csp_panic("csp_sem: too many permits");
    return sum;
}

// Takes k unless somebody waits or there are fewer.
static bool try_take(csp_sem *s, int64_t k)
{
    int64_t permits = csp_load_rlx(&s->permits);             // relaxed: a guess for the exchange
    while (permits >= k)                                     // WAITED makes it negative
        if (csp_cas_acq(&s->permits, &permits, permits - k)) // E1
            return true;
    return false;
}

// Returns k unless somebody waits.
static bool try_return(csp_sem *s, int64_t k)
{
    int64_t permits = csp_load_rlx(&s->permits); // relaxed: a guess for the exchange
    while (permits >= 0)
        if (csp_cas_rel(&s->permits, &permits, add_permits(permits, k))) // E1
            return true;
    return false;
}

// --- acquiring ------------------------------------------------------------------------------------------------------------

// Under the lock: takes k, or makes sure that whoever returns permits looks at the queue.
static bool take_or_mark_locked(csp_sem *s, int64_t k)
{
    for (;;) {
        if (try_take(s, k))
            return true;
        int64_t permits = csp_load_rlx(&s->permits); // relaxed: WAITED is stable under the lock
        if (permits < 0 || (permits < k && csp_cas_rlx(&s->permits, &permits, permits | WAITED)))
            return false; // relaxed: the queue is guarded by the lock
    }
}

// giveup may be NULL. False: it was abandoned.
static bool wait_for_permits(csp_sem *s, struct sem_waiter *w, const cspi_giveup *giveup, const cspi_wait *wait)
{
    cspi_lock_acquire(queue_lock(s));
    bool gave_up = giveup && giveup->why;
    w->granted = gave_up ? try_take(s, w->wanted) : take_or_mark_locked(s, w->wanted);
    if (w->granted)
        CSP_HOOK(acquire, s, NULL);
    if (w->granted || gave_up) {
        cspi_lock_release(queue_lock(s));
        return w->granted;
    }
    cspi_waitq_push(&s->waiters, &w->base);
    w->queued = true;
    cspi_park(wait, queue_lock(s));
    return w->granted;
}

// Takes those who can be served from `permits` off the queue, in order; the first who cannot blocks the rest. Stores what
// is left.
static cspi_waiter *serve_locked(csp_sem *s, int64_t permits)
{
    cspi_waitq served = {0};
    for (;;) {
        struct sem_waiter *w = (struct sem_waiter *)s->waiters.head;
        if (!w || w->wanted > permits)
            break;
        permits -= w->wanted;
        CSP_HOOK(acquire, s, cspi_task(w->base.co));
        w->queued = false;
        w->granted = true;
        cspi_waitq_remove(&s->waiters, &w->base);
        cspi_waitq_push(&served, &w->base);
    }
    csp_xchg_acqrel(&s->permits,
                    cspi_waitq_empty(&s->waiters) ? permits : permits | WAITED); // E1; I2: nobody else changes it
    return served.head;
}

static void abandon_acquire(cspi_giveup *g, int why)
{
    struct limited_waiter *l = (struct limited_waiter *)g;
    csp_sem *s = l->s;
    csp_co *co = NULL;
    cspi_waiter *woken = NULL;
    cspi_lock_acquire(queue_lock(s));
    if (!l->w.granted)
        g->why = why;
    if (l->w.queued) {
        l->w.queued = false;
        cspi_waitq_remove(&s->waiters, &l->w.base);
        woken = serve_locked(s, csp_load_rlx(&s->permits) & ~WAITED); // relaxed: I2
        co = l->w.base.co;
    }
    cspi_lock_release(queue_lock(s));
    cspi_waitq_ready_all(woken);
    if (co)
        cspi_ready(co);
}

// --- public ---------------------------------------------------------------------------------------------------------------

void csp_sem_init(csp_sem *s, int64_t n)
{
    CSPI_FRAME();
    (void)CSP_HOOK_VALUE(take_site, NULL);
    check_amount(n);
    *s = (csp_sem){.permits = n};
    CSP_HOOK(sync_reset, s);
}

void csp_sem_acquire(csp_sem *s, int64_t k)
{
    CSPI_FRAME();
    const csp_site *site = CSP_HOOK_VALUE(take_site, NULL);
    check_amount(k);
    if (!CSP_HOOKS && try_take(s, k))
        return;
    struct sem_waiter w = {.base.co = cspi_self(), .wanted = k};
    const cspi_wait wait = {.op = CSP_WAIT_SEM, .obj = s, .site = site};
    wait_for_permits(s, &w, NULL, &wait);
}

CSPI_IN_PUBLIC bool acquire_within(csp_sem *s, int64_t k, cspi_limit limit, const csp_site *site)
{
    check_amount(k);
    if (!CSP_HOOKS && try_take(s, k))
        return true;
    struct limited_waiter l = {.s = s, .w = {.base.co = cspi_self(), .wanted = k}};
    const cspi_wait wait = {.op = CSP_WAIT_SEM, .will_wake = cspi_limit_will_wake(&limit), .obj = s, .site = site};
    bool in_time = cspi_giveup_arm(&l.giveup, &limit, abandon_acquire);
    bool taken = wait_for_permits(s, &l.w, &l.giveup, &wait);
    if (in_time) {
        if (taken)
            l.giveup.why = 0; // nothing was observed of a cancellation
        cspi_giveup_disarm(&l.giveup);
    }
    if (!taken)
        errno = l.giveup.why;
    return taken;
}

bool csp_sem_acquire_until(csp_sem *s, int64_t k, int64_t at)
{
    CSPI_FRAME();
    return acquire_within(s, k, (cspi_limit){.until = at}, CSP_HOOK_VALUE(take_site, NULL));
}

bool csp_sem_acquire_ctx(csp_sem *s, int64_t k, csp_ctx *ctx)
{
    CSPI_FRAME();
    return acquire_within(s, k, (cspi_limit){.until = CSPI_NO_LIMIT, .ctx = ctx}, CSP_HOOK_VALUE(take_site, NULL));
}

bool csp_sem_tryacquire(csp_sem *s, int64_t k)
{
    CSPI_FRAME();
    (void)CSP_HOOK_VALUE(take_site, NULL);
    check_amount(k);
    if (!CSP_HOOKS)
        return try_take(s, k);
    cspi_lock_acquire(queue_lock(s));
    bool taken = try_take(s, k);
    if (taken)
        CSP_HOOK(acquire, s, NULL);
    cspi_lock_release(queue_lock(s));
    return taken;
}

// False: nobody waits any more, nothing was done. (With hooks it is done here all the same: others need the lock, too.)
CSPI_IN_PUBLIC bool return_to_waiters(csp_sem *s, int64_t k)
{
    cspi_waiter *woken = NULL;
    cspi_lock_acquire(queue_lock(s));
    int64_t permits = csp_load_rlx(&s->permits); // relaxed: WAITED is stable under the lock, and with it all of it
    bool returns = CSP_HOOKS || permits < 0;
    if (returns) {
        CSP_HOOK(release_merge, s, NULL);
        woken = serve_locked(s, add_permits(permits & ~WAITED, k));
    }
    cspi_lock_release(queue_lock(s));
    cspi_waitq_ready_all(woken);
    return returns;
}

void csp_sem_release(csp_sem *s, int64_t k)
{
    CSPI_FRAME();
    (void)CSP_HOOK_VALUE(take_site, NULL);
    check_amount(k);
    while ((CSP_HOOKS || !try_return(s, k)) && !return_to_waiters(s, k))
        ;
}
