// mutex.c - mutual exclusion: one word when nobody waits, a queue behind it otherwise.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Why not hand the lock over at every unlock: then each contended unlock costs a switch, and nobody can take the lock twice
// in a row while it is hot. So a woken waiter competes with newcomers - until it has waited 1 ms, then it is handed over
// (Go's normal and starvation mode).
//
// Invariants  I1 QUEUED is set in state exactly while waiters is not empty; both change under the queue lock.
//             I2 the holder of the mutex takes waiters off the queue; one that gives up takes itself off.
//             I3 a waiter that was woken without the lock is running: it takes the lock or queues again.
// Giving up   One that was woken to compete and then gives up instead owes nobody a wake-up: it
//             found the mutex held, and that holder will see QUEUED if others wait (I1).
// Freeing     The unlock's last touch of *m is the one that lets somebody else in: the fast compare-exchange, the fetch_and
//             after the queue lock was released, or (hand-over) the release of the queue lock, while the new holder sleeps.
//             When the queue turns out to be empty the unlocker still holds the mutex, and tries again from the start.
// Ordering    E1 unlock: release on state -> lock: acquire on state; carries what the critical section wrote. A hand-over
//             carries it through the queue lock and the scheduler.
#include "waitq.h"

#include "base/atomic.h"
#include "panic.h"

enum { LOCKED = 1u, QUEUED = 2u };

static const int64_t handover_after_ns = 1000 * 1000;

struct mutex_waiter {
    cspi_place place;
    int64_t since_ns;
};

static cspi_lock *queue_lock(csp_mutex *m)
{
    return cspi_lock_of(&m->lock);
}

// The way without contention: one exchange from the likely state, which a load before it would only delay.
CSPI_IN_PUBLIC bool try_take_free(csp_mutex *m)
{
    uint32_t s = 0;
    return __builtin_expect(csp_cas_acq(&m->state, &s, (uint32_t)LOCKED), 1); // E1
}

static bool try_take(csp_mutex *m)
{
    uint32_t s = csp_load_rlx(&m->state); // relaxed: a guess for the exchange
    while (!(s & LOCKED))
        if (csp_cas_acq(&m->state, &s, s | LOCKED)) // E1
            return true;
    return false;
}

// Under the queue lock: takes the mutex, or makes sure that its holder will look at the queue when it unlocks.
static bool take_or_mark_locked(csp_mutex *m)
{
    uint32_t s = csp_load_rlx(&m->state); // relaxed: QUEUED is stable under the queue lock
    for (;;) {
        if (!(s & LOCKED)) {
            if (csp_cas_acq(&m->state, &s, s | LOCKED)) // E1
                return true;
        } else if (s & QUEUED) {
            return false; // the holder saw or will see QUEUED: its unlock needs the queue lock, which we have
        } else if (csp_cas_rlx(&m->state, &s, s | QUEUED)) {
            return false; // relaxed: the queue itself is guarded by its lock
        }
    }
}

// Under the queue lock, one just came off: I1. Nobody can go on for it.
static cspi_waiter *note_left_locked(void *mutex)
{
    csp_mutex *m = mutex;
    if (cspi_waitq_empty(&m->waiters))
        __atomic_fetch_and(&m->state, ~(uint32_t)QUEUED, __ATOMIC_RELAXED); // relaxed: guarded by the queue lock
    return NULL;
}

// Until the place is granted, or given up. giveup: NULL without a limit.
static void wait_for_lock(csp_mutex *m, struct mutex_waiter *w, const cspi_giveup *giveup, const cspi_wait *wait)
{
    for (;;) {
        cspi_lock_acquire(queue_lock(m));
        bool gave_up = giveup && giveup->why;
        w->place.granted = gave_up ? try_take(m) : take_or_mark_locked(m);
        if (w->place.granted || gave_up) {
            cspi_lock_release(queue_lock(m));
            return;
        }
        w->place.queued = true;
        if (w->since_ns) {
            cspi_waitq_push_front(&m->waiters, &w->place.base); // keeps its place in the order
        } else {
            w->since_ns = cspi_now();
            cspi_waitq_push(&m->waiters, &w->place.base);
        }
        cspi_park(wait, queue_lock(m));
        if (w->place.granted)
            return;
    }
}

__attribute__((noinline)) static void lock_slow(csp_mutex *m, const csp_site *site)
{
    if (try_take(m))
        return;
    struct mutex_waiter w = {.place.base.co = cspi_self()};
    const cspi_wait wait = {.op = CSP_WAIT_MUTEX, .obj = m, .site = site};
    wait_for_lock(m, &w, NULL, &wait);
}

static bool lock_limited(csp_mutex *m, const cspi_limit *limit, const csp_site *site)
{
    struct mutex_waiter w = {.place.base.co = cspi_self()};
    cspi_limited l = {
        .place = &w.place, .lock = queue_lock(m), .queue = &m->waiters, .left = note_left_locked, .obj = m};
    const cspi_wait wait = {.op = CSP_WAIT_MUTEX, .will_wake = cspi_limit_will_wake(limit), .obj = m, .site = site};
    bool begun = cspi_limited_begin(&l, limit);
    if (begun)
        wait_for_lock(m, &w, &l.giveup, &wait);
    return cspi_limited_end(&l, begun);
}

// False: nobody is queued, since the last one gave up; nothing was done.
static bool unlock_to_waiter(csp_mutex *m)
{
    cspi_lock_acquire(queue_lock(m));
    struct mutex_waiter *w = (struct mutex_waiter *)cspi_waitq_pop(&m->waiters);
    if (!w) {
        cspi_lock_release(queue_lock(m));
        return false;
    }
    w->place.queued = false;
    note_left_locked(m);
    bool handed = w->place.granted = cspi_now() - w->since_ns > handover_after_ns;
    csp_co *co = w->place.base.co;
    cspi_lock_release(queue_lock(m));
    if (!handed)
        __atomic_fetch_and(&m->state, ~(uint32_t)LOCKED, __ATOMIC_RELEASE); // E1
    cspi_ready(co);
    return true;
}

CSPI_IN_PUBLIC bool try_release(csp_mutex *m)
{
    uint32_t s = LOCKED;
    return __builtin_expect(csp_cas_rel(&m->state, &s, 0u), 1); // E1
}

__attribute__((noinline)) static void unlock_slow(csp_mutex *m)
{
    do {
        if (!(csp_load_rlx(&m->state) & LOCKED)) // relaxed: the holder's own lock is visible to it
            cspi_fatal("sync: unlock of unlocked mutex");
    } while (!unlock_to_waiter(m) && !try_release(m));
}

CSPI_IN_PUBLIC void lock(csp_mutex *m, const csp_site *site)
{
    if (!try_take_free(m) && !(CSP_HOOKS && try_take(m))) {
        CSP_HOOK(lock_wait, m, CSP_LOCK_WRITE);
        lock_slow(m, site);
    }
    CSP_HOOK(locked, m, CSP_LOCK_WRITE, NULL, site);
}

CSPI_IN_PUBLIC bool lock_within(csp_mutex *m, cspi_limit limit, const csp_site *site)
{
    if (!try_take(m) && !lock_limited(m, &limit, site))
        return false;
    CSP_HOOK(locked, m, CSP_LOCK_WRITE | CSP_LOCK_TRY, NULL, site);
    return true;
}

CSPI_IN_PUBLIC void unlock(csp_mutex *m)
{
    // The detector is told before anybody else can be let in, hence not by an unlock that will be found wrong.
    if (CSP_HOOKS && !(csp_load_rlx(&m->state) & LOCKED)) // relaxed: the holder's own lock is visible to it
        cspi_fatal("sync: unlock of unlocked mutex");
    CSP_HOOK(unlocking, m, CSP_LOCK_WRITE);
    if (!try_release(m))
        unlock_slow(m);
}

void cspi_mutex_lock(csp_mutex *m, const csp_site *site)
{
    lock(m, site);
}

void cspi_mutex_unlock(csp_mutex *m)
{
    unlock(m);
}

// sync.h takes the way without contention inline when this is true.
const bool csp_unobserved = !CSP_HOOKS;
// It relies on these values.
_Static_assert(LOCKED == 1, "sync.h");

void csp_mutex_lock_wait(csp_mutex *m)
{
    CSPI_FRAME();
    CSPI_POINT(LOCK, m);
    lock(m, CSP_HOOK_VALUE(take_site, NULL));
}

void csp_mutex_unlock_wake(csp_mutex *m)
{
    CSPI_FRAME();
    CSPI_POINT(UNLOCK, m);
    (void)CSP_HOOK_VALUE(take_site, NULL);
    unlock(m);
}

void csp_mutex_lock(csp_mutex *m)
{
    CSPI_FRAME();
    CSPI_POINT(LOCK, m);
    lock(m, CSP_HOOK_VALUE(take_site, NULL));
}

bool csp_mutex_lock_until(csp_mutex *m, int64_t at)
{
    CSPI_FRAME();
    CSPI_POINT(LOCK, m);
    return lock_within(m, (cspi_limit){.until = at}, CSP_HOOK_VALUE(take_site, NULL));
}

bool csp_mutex_lock_ctx(csp_mutex *m, csp_ctx *ctx)
{
    CSPI_FRAME();
    CSPI_POINT(LOCK, m);
    return lock_within(m, (cspi_limit){.until = CSPI_NO_LIMIT, .ctx = ctx}, CSP_HOOK_VALUE(take_site, NULL));
}

bool csp_mutex_trylock(csp_mutex *m)
{
    CSPI_FRAME();
    CSPI_POINT(TRY_LOCK, m);
    const csp_site *site = CSP_HOOK_VALUE(take_site, NULL);
    if (!try_take(m))
        return false;
    CSP_HOOK(locked, m, CSP_LOCK_WRITE | CSP_LOCK_TRY, NULL, site);
    (void)site;
    return true;
}

void csp_mutex_unlock(csp_mutex *m)
{
    CSPI_FRAME();
    CSPI_POINT(UNLOCK, m);
    (void)CSP_HOOK_VALUE(take_site, NULL);
    unlock(m);
}
