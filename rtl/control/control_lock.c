// control_lock.c - mutexes, spin locks and read-write locks under a controlled schedule.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// See: control_libc.h. All of it runs with the turn, so the table needs a lock only for threads that are no tasks.
#include "control/control_libc.h"

#include "support/alloc.h"
#include "support/lock.h"
#include "task/task.h"

#include <errno.h>
#include <limits.h>

// --- what is known beside libc -------------------------------------------------------------------------------------------------

enum { BUCKETS = 1024 };
static cspr_shadow_lock *buckets[BUCKETS]; // under table_lock
static cspr_shadow_lock *spare;            // likewise
static cspr_lock table_lock;

void cspr_shadow_locks_fork_lock(bool take)
{
    cspr_lock_for_fork(&table_lock, take);
}

static cspr_shadow_lock **bucket_of(const void *object)
{
    return &buckets[((uintptr_t)object >> 3) * 0x9e3779b97f4a7c15u >> 54];
}

cspr_shadow_lock *cspr_shadow_lock_find(const void *object)
{
    cspr_enter();
    cspr_lock_acquire(&table_lock);
    cspr_shadow_lock *s = *bucket_of(object);
    while (s && s->object != object)
        s = s->next;
    cspr_lock_release(&table_lock);
    cspr_leave();
    return s;
}

cspr_shadow_lock *cspr_shadow_lock_make(const void *object)
{
    cspr_shadow_lock *s = cspr_shadow_lock_find(object);
    if (s)
        return s;
    cspr_enter();
    cspr_lock_acquire(&table_lock);
    s = spare;
    if (s)
        spare = s->next;
    else
        s = cspr_alloc(sizeof *s);
    cspr_shadow_lock **bucket = bucket_of(object);
    *s = (cspr_shadow_lock){.next = *bucket, .object = object};
    *bucket = s;
    cspr_lock_release(&table_lock);
    cspr_leave();
    return s;
}

void cspr_shadow_lock_tidy(cspr_shadow_lock *s)
{
    if (!s || s->holder || s->waiting || s->count)
        return;
    cspr_enter();
    cspr_lock_acquire(&table_lock);
    cspr_shadow_lock **p = bucket_of(s->object);
    while (*p != s)
        p = &(*p)->next;
    *p = s->next;
    s->next = spare;
    spare = s;
    cspr_lock_release(&table_lock);
    cspr_leave();
}

static cspr_who me(void)
{
    const cspr_task *t = cspr_task_current();
    return t ? cspr_task_who(t) : 0;
}

static void set_holder(const void *lock)
{
    cspr_shadow_lock *s = cspr_shadow_lock_make(lock);
    s->holder = me();
    s->count = 1;
    cspr_shadow_lock_tidy(s);
}

static void drop_holder(cspr_shadow_lock *s)
{
    s->holder = 0;
    s->count = 0;
    cspr_shadow_lock_tidy(s);
}

// It is locked by somebody who is no task: a thread of another process, or one of ours that is about to end. Real time passes, so
// that the holder gets on; the others may run meanwhile.
static bool wait_for_stranger(int op, const void *lock, int64_t deadline_ns)
{
    enum { TURNS = 1000 };
    static unsigned turns;
    if (++turns % TURNS != 0) {
        sched_yield();
        return true;
    }
    cspr_control_not_replayable("a lock was held by somebody outside of the schedule");
    int64_t soon = cspr_control_time() + 1000000;
    return cspr_control_await(op, lock, soon < deadline_ns ? soon : deadline_ns) || soon < deadline_ns;
}

// --- mutexes ---------------------------------------------------------------------------------------------------------------------

CSPR_LIBC(pthread_mutex_lock);
CSPR_LIBC(pthread_mutex_trylock);
CSPR_LIBC(pthread_mutex_timedlock);
CSPR_LIBC(pthread_mutex_clocklock);
CSPR_LIBC(pthread_mutex_unlock);

enum { KIND_TYPE = 3, KIND_ROBUST = 16 }; // of glibc's __kind

static int type_of(const pthread_mutex_t *m)
{
    return m->__data.__kind & KIND_TYPE;
}

// Whether libc refuses to unlock it for another than its owner.
static bool looks_at_owner(const pthread_mutex_t *m)
{
    int type = type_of(m);
    return type == PTHREAD_MUTEX_RECURSIVE || type == PTHREAD_MUTEX_ERRORCHECK || m->__data.__kind & KIND_ROBUST;
}

// NULL: no task holds it. What was known of a mutex that stood here before, and was destroyed locked, is forgotten.
static cspr_shadow_lock *find_holder(const pthread_mutex_t *m)
{
    cspr_shadow_lock *s = cspr_shadow_lock_find(m);
    if (!s || !s->holder)
        return NULL;
    if (__atomic_load_n(&m->__data.__lock, __ATOMIC_RELAXED)) // relaxed: whoever has the turn wrote it
        return s;
    drop_holder(s);
    return NULL;
}

static bool got_it(int result)
{
    return result == 0 || result == EOWNERDEAD;
}

// By the task that holds it; EBUSY: it would wait for itself.
static int try_again(pthread_mutex_t *m, cspr_shadow_lock *s)
{
    if (type_of(m) != PTHREAD_MUTEX_RECURSIVE)
        return EBUSY;
    int result = libc_pthread_mutex_trylock(m);
    s->count += result == 0;
    return result;
}

static int try_mutex(pthread_mutex_t *m)
{
    cspr_shadow_lock *s = find_holder(m);
    if (s)
        return s->holder == me() ? try_again(m, s) : EBUSY;
    int result = libc_pthread_mutex_trylock(m);
    if (got_it(result))
        set_holder(m);
    return result;
}

// The caller holds it, and libc would say so.
static bool holds_checked(const pthread_mutex_t *m)
{
    const cspr_shadow_lock *s = type_of(m) == PTHREAD_MUTEX_ERRORCHECK ? find_holder(m) : NULL;
    return s && s->holder == me();
}

int cspr_control_mutex_take(pthread_mutex_t *m, int64_t deadline_ns)
{
    for (;;) {
        int result = try_mutex(m);
        if (result != EBUSY)
            return result;
        if (holds_checked(m))
            return EDEADLK;
        if (!(find_holder(m) ? cspr_control_await(CSP_OP_LOCK, m, deadline_ns)
                             : wait_for_stranger(CSP_OP_LOCK, m, deadline_ns)))
            return ETIMEDOUT;
    }
}

int cspr_control_mutex_give(pthread_mutex_t *m)
{
    cspr_shadow_lock *s = find_holder(m);
    if (s && s->holder != me() && looks_at_owner(m))
        return EPERM; // libc would take all coroutines for one
    int result = libc_pthread_mutex_unlock(m);
    if (result || (s && --s->count))
        return result;
    if (s)
        drop_holder(s);
    cspr_control_wake(m, 1);
    return 0;
}

static int controlled_pthread_mutex_lock(pthread_mutex_t *m)
{
    if (!cspr_is_program())
        return libc_pthread_mutex_lock(m);
    cspr_control_point(CSP_OP_LOCK, m);
    return cspr_control_mutex_take(m, INT64_MAX);
}

static int controlled_pthread_mutex_trylock(pthread_mutex_t *m)
{
    if (!cspr_is_program())
        return libc_pthread_mutex_trylock(m);
    cspr_control_point(CSP_OP_TRY_LOCK, m);
    int result = try_mutex(m);
    if (result == EBUSY)
        cspr_control_point_idle(CSP_OP_TRY_LOCK, m);
    return result;
}

// libc looks at the limit only when it has to wait.
static int take_until(pthread_mutex_t *m, clockid_t clock, const struct timespec *until)
{
    cspr_control_point(CSP_OP_LOCK, m);
    int result = try_mutex(m);
    if (result != EBUSY)
        return result;
    if (!cspr_is_instant(until) && !holds_checked(m))
        return EINVAL;
    return cspr_control_mutex_take(m, cspr_control_instant(clock, until));
}

static int controlled_pthread_mutex_timedlock(pthread_mutex_t *m, const struct timespec *until)
{
    return cspr_is_program() ? take_until(m, CLOCK_REALTIME, until) : libc_pthread_mutex_timedlock(m, until);
}

static int controlled_pthread_mutex_clocklock(pthread_mutex_t *m, clockid_t clock, const struct timespec *until)
{
    if (!cspr_is_program() || (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC))
        return libc_pthread_mutex_clocklock(m, clock, until);
    return take_until(m, clock, until);
}

static int controlled_pthread_mutex_unlock(pthread_mutex_t *m)
{
    if (!cspr_is_program())
        return libc_pthread_mutex_unlock(m);
    cspr_control_point(CSP_OP_UNLOCK, m);
    return cspr_control_mutex_give(m);
}

// The kernel marks a robust mutex when its owner's thread is gone, which is soon; whoever waits finds no task that holds it.
void cspr_control_abandon(const cspr_task *t)
{
    cspr_held held[CSPR_MAX_HELD];
    size_t n = cspr_task_held(t, held, CSPR_MAX_HELD);
    for (size_t i = 0; i < n; i++) {
        const pthread_mutex_t *m = held[i].lock;
        cspr_shadow_lock *s = cspr_shadow_lock_find(m);
        if (!s || s->holder != cspr_task_who(t) || !(m->__data.__kind & KIND_ROBUST))
            continue;
        drop_holder(s);
        cspr_control_wake(m, UINT_MAX);
    }
}

// --- C11's: the same objects, other results --------------------------------------------------------------------------------------

CSPR_LIBC(mtx_lock);
CSPR_LIBC(mtx_trylock);
CSPR_LIBC(mtx_timedlock);
CSPR_LIBC(mtx_unlock);

static int to_thrd(int error)
{
    switch (error) {
    case 0:
        return thrd_success;
    case ENOMEM:
        return thrd_nomem;
    case ETIMEDOUT:
        return thrd_timedout;
    case EBUSY:
        return thrd_busy;
    default:
        return thrd_error;
    }
}

static int controlled_mtx_lock(mtx_t *m)
{
    return cspr_is_program() ? to_thrd(controlled_pthread_mutex_lock((pthread_mutex_t *)m)) : libc_mtx_lock(m);
}

static int controlled_mtx_trylock(mtx_t *m)
{
    return cspr_is_program() ? to_thrd(controlled_pthread_mutex_trylock((pthread_mutex_t *)m)) : libc_mtx_trylock(m);
}

static int controlled_mtx_timedlock(mtx_t *m, const struct timespec *until)
{
    return cspr_is_program() ? to_thrd(take_until((pthread_mutex_t *)m, CLOCK_REALTIME, until))
                             : libc_mtx_timedlock(m, until);
}

static int controlled_mtx_unlock(mtx_t *m)
{
    return cspr_is_program() ? to_thrd(controlled_pthread_mutex_unlock((pthread_mutex_t *)m)) : libc_mtx_unlock(m);
}

// --- spin locks --------------------------------------------------------------------------------------------------------------------

CSPR_LIBC(pthread_spin_lock);
CSPR_LIBC(pthread_spin_trylock);
CSPR_LIBC(pthread_spin_unlock);

static int controlled_pthread_spin_lock(pthread_spinlock_t *l)
{
    if (!cspr_is_program())
        return libc_pthread_spin_lock(l);
    const void *object = (const void *)l;
    int result;
    cspr_control_point(CSP_OP_LOCK, object);
    while ((result = libc_pthread_spin_trylock(l)) == EBUSY)
        cspr_control_await(CSP_OP_LOCK, object, INT64_MAX);
    return result;
}

static int controlled_pthread_spin_trylock(pthread_spinlock_t *l)
{
    if (!cspr_is_program())
        return libc_pthread_spin_trylock(l);
    cspr_control_point(CSP_OP_TRY_LOCK, (const void *)l);
    int result = libc_pthread_spin_trylock(l);
    if (result == EBUSY)
        cspr_control_point_idle(CSP_OP_TRY_LOCK, (const void *)l);
    return result;
}

static int controlled_pthread_spin_unlock(pthread_spinlock_t *l)
{
    if (!cspr_is_program())
        return libc_pthread_spin_unlock(l);
    cspr_control_point(CSP_OP_UNLOCK, (const void *)l);
    int result = libc_pthread_spin_unlock(l);
    cspr_control_wake((const void *)l, 1);
    return result;
}

// --- read-write locks ----------------------------------------------------------------------------------------------------------------

CSPR_LIBC(pthread_rwlock_rdlock);
CSPR_LIBC(pthread_rwlock_tryrdlock);
CSPR_LIBC(pthread_rwlock_timedrdlock);
CSPR_LIBC(pthread_rwlock_clockrdlock);
CSPR_LIBC(pthread_rwlock_wrlock);
CSPR_LIBC(pthread_rwlock_trywrlock);
CSPR_LIBC(pthread_rwlock_timedwrlock);
CSPR_LIBC(pthread_rwlock_clockwrlock);
CSPR_LIBC(pthread_rwlock_unlock);

static cspr_who find_writer(const pthread_rwlock_t *l)
{
    cspr_shadow_lock *s = cspr_shadow_lock_find(l);
    if (!s || !s->holder)
        return 0;
    if (__atomic_load_n(&l->__data.__cur_writer, __ATOMIC_RELAXED)) // relaxed: whoever has the turn wrote it
        return s->holder;
    drop_holder(s); // a lock that stood here before
    return 0;
}

// libc's own does not see the writers that wait here.
static int try_read(pthread_rwlock_t *l)
{
    bool fair = l->__data.__flags == PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP;
    const cspr_shadow_lock *s = fair ? cspr_shadow_lock_find(l) : NULL;
    return s && s->waiting ? EBUSY : libc_pthread_rwlock_tryrdlock(l);
}

static int try_write(pthread_rwlock_t *l)
{
    int result = libc_pthread_rwlock_trywrlock(l);
    if (result == 0)
        set_holder(l);
    return result;
}

static int read_until(pthread_rwlock_t *l, int64_t deadline_ns)
{
    int result;
    cspr_control_point(CSP_OP_RLOCK, l);
    if (find_writer(l) == me())
        return EDEADLK;
    while ((result = try_read(l)) == EBUSY)
        if (!cspr_control_await(CSP_OP_RLOCK, l, deadline_ns))
            return ETIMEDOUT;
    return result;
}

// A writer that gives up lets readers on that were behind it.
static int write_until(pthread_rwlock_t *l, int64_t deadline_ns)
{
    int result;
    cspr_control_point(CSP_OP_LOCK, l);
    if (find_writer(l) == me())
        return EDEADLK;
    while ((result = try_write(l)) == EBUSY) {
        cspr_shadow_lock_make(l)->waiting++;
        bool woken = cspr_control_await(CSP_OP_LOCK, l, deadline_ns);
        cspr_shadow_lock *s = cspr_shadow_lock_find(l);
        s->waiting--;
        cspr_shadow_lock_tidy(s);
        if (woken)
            continue;
        cspr_control_wake(l, UINT_MAX);
        return ETIMEDOUT;
    }
    return result;
}

static int controlled_pthread_rwlock_rdlock(pthread_rwlock_t *l)
{
    return cspr_is_program() ? read_until(l, INT64_MAX) : libc_pthread_rwlock_rdlock(l);
}

static int controlled_pthread_rwlock_wrlock(pthread_rwlock_t *l)
{
    return cspr_is_program() ? write_until(l, INT64_MAX) : libc_pthread_rwlock_wrlock(l);
}

static int controlled_pthread_rwlock_timedrdlock(pthread_rwlock_t *l, const struct timespec *until)
{
    if (!cspr_is_program() || !cspr_is_instant(until))
        return libc_pthread_rwlock_timedrdlock(l, until);
    return read_until(l, cspr_control_instant(CLOCK_REALTIME, until));
}

static int controlled_pthread_rwlock_timedwrlock(pthread_rwlock_t *l, const struct timespec *until)
{
    if (!cspr_is_program() || !cspr_is_instant(until))
        return libc_pthread_rwlock_timedwrlock(l, until);
    return write_until(l, cspr_control_instant(CLOCK_REALTIME, until));
}

static bool is_clock_of_locks(clockid_t clock)
{
    return clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC;
}

static int controlled_pthread_rwlock_clockrdlock(pthread_rwlock_t *l, clockid_t clock, const struct timespec *until)
{
    if (!cspr_is_program() || !is_clock_of_locks(clock) || !cspr_is_instant(until))
        return libc_pthread_rwlock_clockrdlock(l, clock, until);
    return read_until(l, cspr_control_instant(clock, until));
}

static int controlled_pthread_rwlock_clockwrlock(pthread_rwlock_t *l, clockid_t clock, const struct timespec *until)
{
    if (!cspr_is_program() || !is_clock_of_locks(clock) || !cspr_is_instant(until))
        return libc_pthread_rwlock_clockwrlock(l, clock, until);
    return write_until(l, cspr_control_instant(clock, until));
}

static int controlled_pthread_rwlock_tryrdlock(pthread_rwlock_t *l)
{
    if (!cspr_is_program())
        return libc_pthread_rwlock_tryrdlock(l);
    cspr_control_point(CSP_OP_TRY_RLOCK, l);
    int result = try_read(l);
    if (result == EBUSY)
        cspr_control_point_idle(CSP_OP_TRY_RLOCK, l);
    return result;
}

static int controlled_pthread_rwlock_trywrlock(pthread_rwlock_t *l)
{
    if (!cspr_is_program())
        return libc_pthread_rwlock_trywrlock(l);
    cspr_control_point(CSP_OP_TRY_LOCK, l);
    int result = try_write(l);
    if (result == EBUSY)
        cspr_control_point_idle(CSP_OP_TRY_LOCK, l);
    return result;
}

static int controlled_pthread_rwlock_unlock(pthread_rwlock_t *l)
{
    if (!cspr_is_program())
        return libc_pthread_rwlock_unlock(l);
    bool writer = find_writer(l) != 0;
    cspr_control_point(writer ? CSP_OP_UNLOCK : CSP_OP_RUNLOCK, l);
    int result = libc_pthread_rwlock_unlock(l);
    if (result)
        return result;
    cspr_shadow_lock *s = writer ? cspr_shadow_lock_find(l) : NULL;
    if (s)
        drop_holder(s);
    cspr_control_wake(l, UINT_MAX);
    return 0;
}

void cspr_control_locks_take_over(void)
{
    CSPR_TAKE_OVER(pthread_mutex_lock);
    CSPR_TAKE_OVER(pthread_mutex_trylock);
    CSPR_TAKE_OVER(pthread_mutex_timedlock);
    CSPR_TAKE_OVER(pthread_mutex_clocklock);
    CSPR_TAKE_OVER(pthread_mutex_unlock);
    CSPR_TAKE_OVER(mtx_lock);
    CSPR_TAKE_OVER(mtx_trylock);
    CSPR_TAKE_OVER(mtx_timedlock);
    CSPR_TAKE_OVER(mtx_unlock);
    CSPR_TAKE_OVER(pthread_spin_lock);
    CSPR_TAKE_OVER(pthread_spin_trylock);
    CSPR_TAKE_OVER(pthread_spin_unlock);
    CSPR_TAKE_OVER(pthread_rwlock_rdlock);
    CSPR_TAKE_OVER(pthread_rwlock_tryrdlock);
    CSPR_TAKE_OVER(pthread_rwlock_timedrdlock);
    CSPR_TAKE_OVER(pthread_rwlock_clockrdlock);
    CSPR_TAKE_OVER(pthread_rwlock_wrlock);
    CSPR_TAKE_OVER(pthread_rwlock_trywrlock);
    CSPR_TAKE_OVER(pthread_rwlock_timedwrlock);
    CSPR_TAKE_OVER(pthread_rwlock_clockwrlock);
    CSPR_TAKE_OVER(pthread_rwlock_unlock);
}
