// rwmutex.c - many readers or one writer: one word while nobody waits, queues behind it otherwise.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Who waits is served in turn: a waiting writer keeps new readers out, and an unlocking writer lets in the readers that
// waited for it before the next writer. Neither side can starve the other. Ownership is always handed over to those who
// wait, so while QUEUED is set nobody comes in but through the one who leaves.
//
// Invariants  I1 state: WRITER, or readers times READER; QUEUED exactly while somebody is queued, changed under the lock.
//             I2 while QUEUED is set, the writer and the last reader leave under the lock, handing over; nobody else enters.
//             I3 readers wait only while a writer holds or waits.
// Freeing     Whoever leaves touches *m last with the exchange that lets others in; or, handing over, with the release of the
//             lock, while those it let in still sleep and all others need that lock (I2). So a leaver decrements under the lock
//             only when it is the one that hands over; else it lets go of the lock first and tries the fast way again.
// Ordering    E1 leaving: release on state -> entering: acquire on state. A hand-over carries it through the lock and the
//             scheduler.
#include "waitq.h"

#include "base/atomic.h"
#include "base/check.h"
#include "panic.h"

enum { WRITER = 1u, QUEUED = 2u, READER = 4u };

static cspi_lock *queue_lock(csp_rwmutex *m)
{
    return cspi_lock_of(&m->lock);
}

static cspi_waitq *queue_of(csp_rwmutex *m, int mode)
{
    return mode == CSP_LOCK_WRITE ? &m->waiting_writers : &m->waiting_readers;
}

static bool try_write(csp_rwmutex *m)
{
    uint64_t s = 0;
    return csp_cas_acq(&m->state, &s, (uint64_t)WRITER); // E1
}

static bool try_read(csp_rwmutex *m)
{
    uint64_t s = csp_load_rlx(&m->state); // relaxed: a guess for the exchange
    while (!(s & (WRITER | QUEUED)))
        if (csp_cas_acq(&m->state, &s, s + READER)) // E1
            return true;
    return false;
}

// The ways without contention: one exchange from the likely state, which a load before it would only delay.
CSPI_IN_PUBLIC bool try_enter_free(csp_rwmutex *m, uint64_t as)
{
    uint64_t s = 0;
    return __builtin_expect(csp_cas_acq(&m->state, &s, as), 1); // E1
}

CSPI_IN_PUBLIC bool try_leave_alone(csp_rwmutex *m, uint64_t as)
{
    return __builtin_expect(csp_cas_rel(&m->state, &as, (uint64_t)0), 1); // E1
}

static bool try_enter(csp_rwmutex *m, int mode)
{
    return mode == CSP_LOCK_WRITE ? try_write(m) : try_read(m);
}

// --- entering -------------------------------------------------------------------------------------------------------------

// Under the lock: enters, or makes sure that whoever is inside hands over.
static bool enter_or_mark_locked(csp_rwmutex *m, int mode)
{
    for (;;) {
        if (try_enter(m, mode))
            return true;
        uint64_t s = csp_load_rlx(&m->state); // relaxed: a guess for the exchange; QUEUED is stable under the lock
        if (s & QUEUED)
            return false;
        bool blocked = mode == CSP_LOCK_WRITE ? s != 0 : s & WRITER;
        if (blocked && csp_cas_rlx(&m->state, &s, s | QUEUED)) // relaxed: the queues are guarded by the lock
            return false;
    }
}

// giveup: NULL without a limit.
static void wait_for_turn(csp_rwmutex *m, int mode, cspi_place *w, const cspi_giveup *giveup, const cspi_wait *wait)
{
    cspi_lock_acquire(queue_lock(m));
    bool gave_up = giveup && giveup->why;
    w->granted = gave_up ? try_enter(m, mode) : enter_or_mark_locked(m, mode);
    if (w->granted || gave_up) {
        cspi_lock_release(queue_lock(m));
        return;
    }
    cspi_place_push(queue_of(m, mode), w);
    cspi_park(wait, queue_lock(m));
}

static int wait_op(int mode)
{
    return mode == CSP_LOCK_WRITE ? CSP_WAIT_WLOCK : CSP_WAIT_RLOCK;
}

__attribute__((noinline)) static void enter_slow(csp_rwmutex *m, int mode, const csp_site *site)
{
    if (try_enter(m, mode))
        return;
    cspi_place w = {.base.co = cspi_self()};
    const cspi_wait wait = {.op = wait_op(mode), .obj = m, .site = site};
    wait_for_turn(m, mode, &w, NULL, &wait);
}

// --- letting others in; callers hold the lock -----------------------------------------------------------------------------

static bool anyone_queued(const csp_rwmutex *m)
{
    return !cspi_waitq_empty(&m->waiting_writers) || !cspi_waitq_empty(&m->waiting_readers);
}

// All waiting readers, off their queue and granted; counts them.
static cspi_waiter *grant_readers_locked(csp_rwmutex *m, uint64_t *n)
{
    cspi_waiter *list = cspi_waitq_grant_all(&m->waiting_readers);
    for (cspi_waiter *w = list; w; w = w->next)
        ++*n;
    return list;
}

// Somebody is queued, and the caller, alone inside, leaves to the next: the readers after a writer, else the first writer.
static cspi_waiter *hand_over_locked(csp_rwmutex *m)
{
    uint64_t n = 0;
    bool was_writer =
        csp_load_acq(&m->state) & WRITER; // E1: the next one also comes after the readers that left before
    cspi_waiter *woken = was_writer ? grant_readers_locked(m, &n) : NULL;
    if (!woken)
        woken = cspi_waitq_grant(&m->waiting_writers);
    CSP_CHECK(woken); // I3
    uint64_t inside = n ? n * READER : WRITER;
    csp_store_rel(&m->state, inside | (anyone_queued(m) ? QUEUED : 0)); // E1; nobody else changes it: I2
    return woken;
}

// The last waiting writer gave up: the readers that waited behind it join those that are inside.
static cspi_waiter *admit_readers_locked(csp_rwmutex *m)
{
    uint64_t n = 0;
    cspi_waiter *woken = grant_readers_locked(m, &n);
    // Readers may be leaving meanwhile, but not the last of them, which needs the lock.
    __atomic_fetch_add(&m->state, n * READER, __ATOMIC_ACQUIRE); // E1, on behalf of those that come in
    return woken;
}

// A waiter took itself off. Who was kept out by it alone comes in.
static cspi_waiter *note_left_locked(void *rwmutex)
{
    csp_rwmutex *m = rwmutex;
    uint64_t s = csp_load_rlx(&m->state); // relaxed: WRITER and QUEUED are stable under the lock while QUEUED is set
    cspi_waiter *woken = NULL;
    if (!(s & WRITER) && cspi_waitq_empty(&m->waiting_writers))
        woken = admit_readers_locked(m);
    if (!anyone_queued(m))
        __atomic_fetch_and(&m->state, ~(uint64_t)QUEUED, __ATOMIC_RELAXED); // relaxed: guarded by the lock
    return woken;
}

// --- entering, the whole --------------------------------------------------------------------------------------------------

static bool enter_limited(csp_rwmutex *m, int mode, const cspi_limit *limit, const csp_site *site)
{
    cspi_place w = {.base.co = cspi_self()};
    cspi_limited l = {
        .place = &w, .lock = queue_lock(m), .queue = queue_of(m, mode), .left = note_left_locked, .obj = m};
    const cspi_wait wait = {.op = wait_op(mode), .will_wake = cspi_limit_will_wake(limit), .obj = m, .site = site};
    bool begun = cspi_limited_begin(&l, limit);
    if (begun)
        wait_for_turn(m, mode, &w, &l.giveup, &wait);
    return cspi_limited_end(&l, begun);
}

CSPI_IN_PUBLIC void enter(csp_rwmutex *m, int mode, const csp_site *site)
{
    if (!try_enter_free(m, mode == CSP_LOCK_WRITE ? WRITER : READER) && !(CSP_HOOKS && try_enter(m, mode))) {
        CSP_HOOK(lock_wait, m, mode);
        enter_slow(m, mode, site);
    }
    CSP_HOOK(locked, m, mode, NULL, site);
}

CSPI_IN_PUBLIC bool enter_within(csp_rwmutex *m, int mode, cspi_limit limit, const csp_site *site)
{
    if (!try_enter(m, mode) && !enter_limited(m, mode, &limit, site))
        return false;
    CSP_HOOK(locked, m, mode | CSP_LOCK_TRY, NULL, site);
    return true;
}

CSPI_IN_PUBLIC bool enter_at_once(csp_rwmutex *m, int mode, const csp_site *site)
{
    if (!try_enter(m, mode))
        return false;
    CSP_HOOK(locked, m, mode | CSP_LOCK_TRY, NULL, site);
    (void)site;
    return true;
}

// --- leaving --------------------------------------------------------------------------------------------------------------

// False: the last waiter gave up before we had the lock, or we are not the last reader; nothing was done.
static bool leave_to_waiter(csp_rwmutex *m)
{
    cspi_lock_acquire(queue_lock(m));
    uint64_t s =
        csp_load_rlx(&m->state); // relaxed: QUEUED is stable under the lock; a reader less is found by the retry
    bool hands_over = s == (WRITER | QUEUED) || s == (READER | QUEUED);
    cspi_waiter *woken = hands_over ? hand_over_locked(m) : NULL;
    cspi_lock_release(queue_lock(m));
    cspi_waitq_ready_all(woken);
    return hands_over;
}

static bool try_leave_read(csp_rwmutex *m)
{
    uint64_t s = csp_load_rlx(&m->state); // relaxed: a guess for the exchange
    while (s != (READER | QUEUED)) {
        if (s < READER)
            cspi_fatal("sync: RUnlock of unlocked RWMutex");
        if (csp_cas_rel(&m->state, &s, s - READER)) // E1
            return true;
    }
    return false;
}

__attribute__((noinline)) static void leave_read_slow(csp_rwmutex *m)
{
    while (!try_leave_read(m) && !leave_to_waiter(m))
        ;
}

__attribute__((noinline)) static void leave_write_slow(csp_rwmutex *m)
{
    do {
        if (!(csp_load_rlx(&m->state) & WRITER)) // relaxed: the holder's own lock is visible to it
            cspi_fatal("sync: Unlock of unlocked RWMutex");
    } while (!leave_to_waiter(m) && !try_leave_alone(m, WRITER));
}

CSPI_IN_PUBLIC void leave_read(csp_rwmutex *m)
{
    // The detector is told before anybody else can be let in, hence not by an unlock that will be found wrong.
    if (CSP_HOOKS && csp_load_rlx(&m->state) < READER) // relaxed: the holder's own lock is visible to it
        cspi_fatal("sync: RUnlock of unlocked RWMutex");
    CSP_HOOK(unlocking, m, CSP_LOCK_READ);
    if (!try_leave_alone(m, READER))
        leave_read_slow(m);
}

// --- public ---------------------------------------------------------------------------------------------------------------

// sync.h takes the way without contention inline; it relies on this value.
_Static_assert(READER == 4, "sync.h");

void csp_rwmutex_rlock_wait(csp_rwmutex *m)
{
    CSPI_FRAME();
    CSPI_POINT(RLOCK, m);
    enter(m, CSP_LOCK_READ, CSP_HOOK_VALUE(take_site, NULL));
}

void csp_rwmutex_runlock_wake(csp_rwmutex *m)
{
    CSPI_FRAME();
    CSPI_POINT(RUNLOCK, m);
    (void)CSP_HOOK_VALUE(take_site, NULL);
    leave_read(m);
}

void csp_rwmutex_lock(csp_rwmutex *m)
{
    CSPI_FRAME();
    CSPI_POINT(LOCK, m);
    enter(m, CSP_LOCK_WRITE, CSP_HOOK_VALUE(take_site, NULL));
}

bool csp_rwmutex_lock_until(csp_rwmutex *m, int64_t at)
{
    CSPI_FRAME();
    CSPI_POINT(LOCK, m);
    return enter_within(m, CSP_LOCK_WRITE, (cspi_limit){.until = at}, CSP_HOOK_VALUE(take_site, NULL));
}

bool csp_rwmutex_lock_ctx(csp_rwmutex *m, csp_ctx *ctx)
{
    CSPI_FRAME();
    CSPI_POINT(LOCK, m);
    return enter_within(m, CSP_LOCK_WRITE, (cspi_limit){.until = CSPI_NO_LIMIT, .ctx = ctx},
                        CSP_HOOK_VALUE(take_site, NULL));
}

bool csp_rwmutex_trylock(csp_rwmutex *m)
{
    CSPI_FRAME();
    CSPI_POINT(TRY_LOCK, m);
    return enter_at_once(m, CSP_LOCK_WRITE, CSP_HOOK_VALUE(take_site, NULL));
}

void csp_rwmutex_unlock(csp_rwmutex *m)
{
    CSPI_FRAME();
    CSPI_POINT(UNLOCK, m);
    (void)CSP_HOOK_VALUE(take_site, NULL);
    // The detector is told before anybody else can be let in, hence not by an unlock that will be found wrong.
    if (CSP_HOOKS && !(csp_load_rlx(&m->state) & WRITER)) // relaxed: the holder's own lock is visible to it
        cspi_fatal("sync: Unlock of unlocked RWMutex");
    CSP_HOOK(unlocking, m, CSP_LOCK_WRITE);
    if (!try_leave_alone(m, WRITER))
        leave_write_slow(m);
}

void csp_rwmutex_rlock(csp_rwmutex *m)
{
    CSPI_FRAME();
    CSPI_POINT(RLOCK, m);
    enter(m, CSP_LOCK_READ, CSP_HOOK_VALUE(take_site, NULL));
}

bool csp_rwmutex_rlock_until(csp_rwmutex *m, int64_t at)
{
    CSPI_FRAME();
    CSPI_POINT(RLOCK, m);
    return enter_within(m, CSP_LOCK_READ, (cspi_limit){.until = at}, CSP_HOOK_VALUE(take_site, NULL));
}

bool csp_rwmutex_rlock_ctx(csp_rwmutex *m, csp_ctx *ctx)
{
    CSPI_FRAME();
    CSPI_POINT(RLOCK, m);
    return enter_within(m, CSP_LOCK_READ, (cspi_limit){.until = CSPI_NO_LIMIT, .ctx = ctx},
                        CSP_HOOK_VALUE(take_site, NULL));
}

bool csp_rwmutex_tryrlock(csp_rwmutex *m)
{
    CSPI_FRAME();
    CSPI_POINT(TRY_RLOCK, m);
    return enter_at_once(m, CSP_LOCK_READ, CSP_HOOK_VALUE(take_site, NULL));
}

void csp_rwmutex_runlock(csp_rwmutex *m)
{
    CSPI_FRAME();
    CSPI_POINT(RUNLOCK, m);
    (void)CSP_HOOK_VALUE(take_site, NULL);
    leave_read(m);
}
