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
// Detector. Units are taken in the order of their release, each with its clock. The runtime with hooks does everything under the
// lock: there the clocks must change together with the permits.
#include "waitq.h"

#include "base/atomic.h"
#include "csp/go.h"

static const int64_t WAITED = INT64_MIN;

struct sem_waiter {
    cspi_place place;
    int64_t wanted;
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

// The running task has taken k, and nobody waits.
static void note_taken_locked(csp_sem *s, int64_t k)
{
    CSP_HOOK(sem_take, s, csp_load_rlx(&s->permits) + k, k, NULL); // relaxed: with hooks it changes under the lock only
    (void)s, (void)k;
}

// giveup: NULL without a limit.
static void wait_for_permits(csp_sem *s, struct sem_waiter *w, const cspi_giveup *giveup, const cspi_wait *wait)
{
    cspi_lock_acquire(queue_lock(s));
    bool gave_up = giveup && giveup->why;
    w->place.granted = gave_up ? try_take(s, w->wanted) : take_or_mark_locked(s, w->wanted);
    if (w->place.granted)
        note_taken_locked(s, w->wanted);
    if (w->place.granted || gave_up) {
        cspi_lock_release(queue_lock(s));
        return;
    }
    cspi_place_push(&s->waiters, &w->place);
    cspi_park(wait, queue_lock(s));
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
        CSP_HOOK(sem_take, s, permits, w->wanted, cspi_task(w->place.base.co));
        permits -= w->wanted;
        cspi_waitq_push(&served, cspi_waitq_grant(&s->waiters));
    }
    csp_xchg_acqrel(&s->permits,
                    cspi_waitq_empty(&s->waiters) ? permits : permits | WAITED); // E1; I2: nobody else changes it
    return served.head;
}

// One gave up; those behind it may be content with less.
static cspi_waiter *serve_after_leaving(void *sem)
{
    csp_sem *s = sem;
    return serve_locked(s, csp_load_rlx(&s->permits) & ~WAITED); // relaxed: I2
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
    CSPI_POINT(ACQUIRE, s);
    const csp_site *site = CSP_HOOK_VALUE(take_site, NULL);
    check_amount(k);
    if (!CSP_HOOKS && try_take(s, k))
        return;
    struct sem_waiter w = {.place.base.co = cspi_self(), .wanted = k};
    const cspi_wait wait = {.op = CSP_WAIT_SEM, .obj = s, .site = site};
    wait_for_permits(s, &w, NULL, &wait);
}

CSPI_IN_PUBLIC bool acquire_within(csp_sem *s, int64_t k, cspi_limit limit, const csp_site *site)
{
    check_amount(k);
    if (!CSP_HOOKS && try_take(s, k))
        return true;
    struct sem_waiter w = {.place.base.co = cspi_self(), .wanted = k};
    cspi_limited l = {
        .place = &w.place, .lock = queue_lock(s), .queue = &s->waiters, .left = serve_after_leaving, .obj = s};
    const cspi_wait wait = {.op = CSP_WAIT_SEM, .will_wake = cspi_limit_will_wake(&limit), .obj = s, .site = site};
    bool begun = cspi_limited_begin(&l, &limit);
    wait_for_permits(s, &w, &l.giveup, &wait);
    return cspi_limited_end(&l, begun);
}

bool csp_sem_acquire_until(csp_sem *s, int64_t k, int64_t at)
{
    CSPI_FRAME();
    CSPI_POINT(ACQUIRE, s);
    return acquire_within(s, k, (cspi_limit){.until = at}, CSP_HOOK_VALUE(take_site, NULL));
}

bool csp_sem_acquire_ctx(csp_sem *s, int64_t k, csp_ctx *ctx)
{
    CSPI_FRAME();
    CSPI_POINT(ACQUIRE, s);
    return acquire_within(s, k, (cspi_limit){.until = CSPI_NO_LIMIT, .ctx = ctx}, CSP_HOOK_VALUE(take_site, NULL));
}

bool csp_sem_tryacquire(csp_sem *s, int64_t k)
{
    CSPI_FRAME();
    CSPI_POINT(TRY_ACQUIRE, s);
    (void)CSP_HOOK_VALUE(take_site, NULL);
    check_amount(k);
    if (!CSP_HOOKS)
        return try_take(s, k);
    cspi_lock_acquire(queue_lock(s));
    bool taken = try_take(s, k);
    if (taken)
        note_taken_locked(s, k);
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
        CSP_HOOK(sem_release, s, permits & ~WAITED, k);
        woken = serve_locked(s, add_permits(permits & ~WAITED, k));
    }
    cspi_lock_release(queue_lock(s));
    cspi_waitq_ready_all(woken);
    return returns;
}

void csp_sem_release(csp_sem *s, int64_t k)
{
    CSPI_FRAME();
    CSPI_POINT(RELEASE, s);
    (void)CSP_HOOK_VALUE(take_site, NULL);
    check_amount(k);
    while ((CSP_HOOKS || !try_return(s, k)) && !return_to_waiters(s, k))
        ;
}
