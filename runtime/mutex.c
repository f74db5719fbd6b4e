// mutex.c - mutual exclusion: one word when nobody waits, a queue behind it otherwise.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Why not hand the lock over at every unlock: then each contended unlock costs a switch, and nobody can take the lock twice
// in a row while it is hot. So a woken waiter competes with newcomers - until it has waited 1 ms, then it is handed over
// (Go's normal and starvation mode).
//
// Invariants  I1 QUEUED is set in state exactly while waiters is not empty; both change under the queue lock.
//             I2 only the holder of the mutex takes waiters off the queue.
//             I3 a waiter that was woken without the lock is running: it takes the lock or queues again.
// Freeing     The unlock's last touch of *m is the one that lets somebody else in: the fast compare-exchange, the fetch_and
//             after the queue lock was released, or (hand-over) the release of the queue lock, while the new holder sleeps.
// Ordering    E1 unlock: release on state -> lock: acquire on state; carries what the critical section wrote. A hand-over
//             carries it through the queue lock and the scheduler.
#include "waitq.h"

#include "base/atomic.h"
#include "panic.h"
#include "timer.h"

enum { LOCKED = 1u, QUEUED = 2u };

static const int64_t handover_after_ns = 1000 * 1000;

struct mutex_waiter {
    cspi_waiter base;
    int64_t since_ns;
    bool handed; // the unlocker left the mutex locked, for us
};

static cspi_lock *queue_lock(csp_mutex *m)
{
    return cspi_lock_of(&m->lock);
}

static bool try_take(csp_mutex *m)
{
    uint32_t s = csp_load_rlx(&m->state); // relaxed: only a guess for the exchange below
    while (!(s & LOCKED)) {
        if (csp_cas_acq(&m->state, &s, s | LOCKED)) // E1
            return true;
    }
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
        } else if (__atomic_compare_exchange_n(&m->state, &s, s | QUEUED, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
            return false; // relaxed: the queue itself is guarded by its lock
        }
    }
}

static void lock_slow(csp_mutex *m, const csp_site *site)
{
    struct mutex_waiter w = {.base.co = cspi_self()};
    const cspi_wait wait = {.op = CSP_WAIT_MUTEX, .obj = m, .site = site};
    cspi_lock_acquire(queue_lock(m));
    while (!take_or_mark_locked(m)) {
        if (w.since_ns) {
            cspi_waitq_push_front(&m->waiters, &w.base); // keeps its place in the order
        } else {
            w.since_ns = cspi_now();
            cspi_waitq_push(&m->waiters, &w.base);
        }
        cspi_park(&wait, queue_lock(m));
        if (w.handed)
            return;
        cspi_lock_acquire(queue_lock(m));
    }
    cspi_lock_release(queue_lock(m));
}

static void unlock_slow(csp_mutex *m)
{
    cspi_lock_acquire(queue_lock(m));
    struct mutex_waiter *w = (struct mutex_waiter *)cspi_waitq_pop(&m->waiters);
    if (!w) { // against I1 and I2: another unlock came in between
        cspi_lock_release(queue_lock(m));
        cspi_fatal("sync: unlock of unlocked mutex");
    }
    if (cspi_waitq_empty(&m->waiters))
        __atomic_fetch_and(&m->state, ~(uint32_t)QUEUED, __ATOMIC_RELAXED); // relaxed: guarded by the queue lock
    bool handed = w->handed = cspi_now() - w->since_ns > handover_after_ns;
    csp_co *co = w->base.co;
    cspi_lock_release(queue_lock(m));
    if (!handed)
        __atomic_fetch_and(&m->state, ~(uint32_t)LOCKED, __ATOMIC_RELEASE); // E1
    cspi_ready(co);
}

CSPI_IN_PUBLIC void lock(csp_mutex *m, const csp_site *site)
{
    if (!try_take(m))
        lock_slow(m, site);
    CSP_HOOK(locked, m, CSP_LOCK_WRITE, NULL, site);
}

CSPI_IN_PUBLIC void unlock(csp_mutex *m)
{
    if (!(csp_load_rlx(&m->state) & LOCKED)) // relaxed: the holder's own lock is visible to it
        cspi_fatal("sync: unlock of unlocked mutex");
    CSP_HOOK(unlocking, m, CSP_LOCK_WRITE);
    uint32_t s = LOCKED;
    if (!csp_cas_rel(&m->state, &s, 0u)) // E1
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

void csp_mutex_lock(csp_mutex *m)
{
    CSPI_FRAME();
    lock(m, CSP_HOOK_VALUE(take_site, NULL));
}

bool csp_mutex_trylock(csp_mutex *m)
{
    CSPI_FRAME();
    const csp_site *site = CSP_HOOK_VALUE(take_site, NULL);
    if (!try_take(m))
        return false;
    CSP_HOOK(locked, m, CSP_LOCK_WRITE, NULL, site);
    (void)site;
    return true;
}

void csp_mutex_unlock(csp_mutex *m)
{
    CSPI_FRAME();
    (void)CSP_HOOK_VALUE(take_site, NULL);
    unlock(m);
}
