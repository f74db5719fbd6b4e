// intercept_pthread.c - locks, conditions and the other waiting of pthreads and C11 threads: the order they give.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// They block the OS thread as always, also under a coroutine; a lock taken in a coroutine is the coroutine's.
// The real function runs outside the detector: it may block, be cancelled, or run the program's signal handlers.
// Edges (rule F1): unlock -> next lock; runlock -> next wrlock; once: end of f -> every return; barrier: arrivals -> departures;
// semaphore: post -> the wait that takes its unit; a condition variable by itself: none.
#include "control/control_libc.h"
#include "deadlock/lock_order.h"
#include "deadlock/lock_wait.h"
#include "deadlock/misuse.h"
#include "shadow/depot.h"
#include "support/libc.h"
#include "support/lock.h"
#include "sync/sem.h"
#include "task/task.h"

#include <errno.h>
#include <unistd.h>

static bool is_checked(void)
{
    return cspr_ready && !cspr_bypass();
}

// The site that was set for this call is not for the next one.
static void drop_site(void)
{
    __csp_site = NULL;
}

static bool got_it(int result)
{
    return result == 0 || result == EOWNERDEAD;
}

// What the detector is told, in the interceptor whose stack it is to be. After CSPR_FRAME().
#define LOCKED(lock, mode) cspr_locked(lock, mode, cspr_task_current(), CSPR_STACK())
#define UNLOCKING(lock, mode) cspr_unlocking(lock, mode, cspr_task_current())

// --- mutexes ---------------------------------------------------------------------------------------------------------------

#define TAKES_LOCK(name, params, args, lock, mode, succeeded)                                                          \
    CSPR_INTERCEPTOR int name params                                                                                   \
    {                                                                                                                  \
        if (!is_checked())                                                                                             \
            return cspr_real_##name args;                                                                              \
        CSPR_FRAME();                                                                                                  \
        drop_site();                                                                                                   \
        int result = cspr_real_##name args;                                                                            \
        if (succeeded)                                                                                                 \
            LOCKED(lock, mode);                                                                                        \
        return result;                                                                                                 \
    }

// WRONG: by another than its owner, and yet it is unlocked then.
typedef enum unlocking { RIGHT, WRONG, REFUSED } unlocking;
#define GIVES_LOCK(name, params, args, lock, mode, unlock)                                                             \
    CSPR_INTERCEPTOR int name params                                                                                   \
    {                                                                                                                  \
        if (is_checked()) {                                                                                            \
            CSPR_FRAME();                                                                                              \
            drop_site();                                                                                               \
            unlocking how = (unlock);                                                                                  \
            if (how != RIGHT)                                                                                          \
                cspr_report_misuse(CSPR_BAD_UNLOCK, (const void *)(lock), CSPR_STACK(), 0);                            \
            if (how != REFUSED)                                                                                        \
                UNLOCKING(lock, mode);                                                                                 \
        }                                                                                                              \
        return cspr_real_##name args;                                                                                  \
    }

// A lock that begins or ends its life has no past.
#define FORGETS(name, params, args, object)                                                                            \
    CSPR_INTERCEPTOR int name params                                                                                   \
    {                                                                                                                  \
        if (is_checked()) {                                                                                            \
            drop_site();                                                                                               \
            cspr_sync_reset(object);                                                                                   \
        }                                                                                                              \
        return cspr_real_##name args;                                                                                  \
    }

typedef const struct timespec when;

// Whether somebody holds it, by glibc's own word.
static bool is_locked(const pthread_mutex_t *m)
{
    return __atomic_load_n(&m->__data.__owner, __ATOMIC_RELAXED) != 0; // relaxed: only the caller's own doing counts
}

// A coroutine may unlock on another OS thread than it locked on, so the detector's own list is asked first; a lock that was
// taken where we do not look is not in it, but then glibc knows this thread as its owner.
static unlocking how_unlocks(const pthread_mutex_t *m)
{
    const cspr_task *t = cspr_task_current();
    if (!t || t->n_held == CSPR_MAX_HELD || cspr_task_holds(t, m, CSP_LOCK_WRITE) || m->__data.__owner == gettid())
        return RIGHT;
    enum { ROBUST = 16, TYPE = 3 }; // as glibc's, which only looks at the owner of some
    int type = m->__data.__kind & TYPE;
    bool looks = type == PTHREAD_MUTEX_RECURSIVE || type == PTHREAD_MUTEX_ERRORCHECK || m->__data.__kind & ROBUST;
    return looks ? REFUSED : WRONG;
}

static bool locks_twice(const pthread_mutex_t *m)
{
    const cspr_task *t = cspr_task_current();
    int type = m->__data.__kind & 3;
    return t && (type == PTHREAD_MUTEX_NORMAL || type == PTHREAD_MUTEX_ADAPTIVE_NP) && is_locked(m) &&
           cspr_task_holds(t, m, CSP_LOCK_WRITE);
}

// Not part of its callers: the array is too large for a coroutine's stack to have below every lock.
CSPR_NOINLINE static cspr_stack find_taking(const void *lock)
{
    cspr_held held[CSPR_MAX_HELD];
    const cspr_task *t = cspr_task_current();
    for (size_t n = t ? cspr_task_held(t, held, CSPR_MAX_HELD) : 0; n > 0; n--)
        if (held[n - 1].lock == lock)
            return held[n - 1].stack;
    return 0;
}

CSPR_INTERCEPTOR int pthread_mutex_init(pthread_mutex_t *m, const pthread_mutexattr_t *attr)
{
    if (is_checked()) {
        CSPR_FRAME();
        drop_site();
        cspr_sync_reset(m);
        cspr_lock_made(m, CSPR_STACK());
    }
    return cspr_real_pthread_mutex_init(m, attr);
}

CSPR_INTERCEPTOR int pthread_mutex_destroy(pthread_mutex_t *m)
{
    if (is_checked()) {
        CSPR_FRAME();
        drop_site();
        if (is_locked(m))
            cspr_report_misuse(CSPR_DESTROY_LOCKED, m, CSPR_STACK(), find_taking(m));
        cspr_sync_reset(m);
        cspr_lock_gone(m);
    }
    return cspr_real_pthread_mutex_destroy(m);
}

// A wait while others are held may close a cycle: that is told before it blocks.
static int lock_mutex(pthread_mutex_t *m, cspr_stack stack)
{
    cspr_task *t = cspr_task_current();
    if (!t || !t->n_held || cspr_task_holds(t, m, CSP_LOCK_WRITE))
        return cspr_real_pthread_mutex_lock(m);
    int result = cspr_real_pthread_mutex_trylock(m);
    if (result != EBUSY)
        return result;
    cspr_lock_waits(m, CSP_LOCK_WRITE, t, stack);
    result = cspr_real_pthread_mutex_lock(m);
    cspr_lock_wait_end(t);
    return result;
}

// A second lock by the same task is told before it blocks for ever.
CSPR_INTERCEPTOR int pthread_mutex_lock(pthread_mutex_t *m)
{
    if (!is_checked())
        return cspr_real_pthread_mutex_lock(m);
    CSPR_FRAME();
    drop_site();
    if (locks_twice(m))
        cspr_report_misuse(CSPR_DOUBLE_LOCK, m, CSPR_STACK(), find_taking(m));
    int result = lock_mutex(m, CSPR_STACK());
    if (got_it(result))
        LOCKED(m, CSP_LOCK_WRITE);
    else if (result == EINVAL)
        cspr_report_misuse(CSPR_INVALID_LOCK, m, CSPR_STACK(), 0);
    return result;
}

TAKES_LOCK(pthread_mutex_trylock, (pthread_mutex_t * m), (m), m, CSP_LOCK_WRITE | CSP_LOCK_TRY, got_it(result))
TAKES_LOCK(pthread_mutex_timedlock, (pthread_mutex_t * m, when *until), (m, until), m, CSP_LOCK_WRITE | CSP_LOCK_TRY,
           got_it(result))
TAKES_LOCK(pthread_mutex_clocklock, (pthread_mutex_t * m, clockid_t clock, when *until), (m, clock, until), m,
           CSP_LOCK_WRITE | CSP_LOCK_TRY, got_it(result))
GIVES_LOCK(pthread_mutex_unlock, (pthread_mutex_t * m), (m), m, CSP_LOCK_WRITE, how_unlocks(m))

TAKES_LOCK(mtx_lock, (mtx_t * m), (m), m, CSP_LOCK_WRITE, result == thrd_success)
TAKES_LOCK(mtx_trylock, (mtx_t * m), (m), m, CSP_LOCK_WRITE | CSP_LOCK_TRY, result == thrd_success)
TAKES_LOCK(mtx_timedlock, (mtx_t * m, when *until), (m, until), m, CSP_LOCK_WRITE | CSP_LOCK_TRY,
           result == thrd_success)
GIVES_LOCK(mtx_unlock, (mtx_t * m), (m), m, CSP_LOCK_WRITE, how_unlocks((const pthread_mutex_t *)m))

// pthread_spin_init and pthread_spin_unlock are one function in glibc, but not one name: the first gives no order here.
TAKES_LOCK(pthread_spin_lock, (pthread_spinlock_t * l), (l), (const void *)l, CSP_LOCK_WRITE, result == 0)
TAKES_LOCK(pthread_spin_trylock, (pthread_spinlock_t * l), (l), (const void *)l, CSP_LOCK_WRITE | CSP_LOCK_TRY,
           result == 0)
GIVES_LOCK(pthread_spin_unlock, (pthread_spinlock_t * l), (l), (const void *)l, CSP_LOCK_WRITE, RIGHT)

// --- reader-writer locks -----------------------------------------------------------------------------------------------------

// glibc's prefers readers, so they never wait for a writer that waits, unless told otherwise.
static int reads(const pthread_rwlock_t *l)
{
    bool fair = l->__data.__flags == PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP;
    return fair ? CSP_LOCK_READ | CSPR_LOCK_FAIR : CSP_LOCK_READ;
}

FORGETS(pthread_rwlock_init, (pthread_rwlock_t * l, const pthread_rwlockattr_t *attr), (l, attr), l)
FORGETS(pthread_rwlock_destroy, (pthread_rwlock_t * l), (l), l)
TAKES_LOCK(pthread_rwlock_rdlock, (pthread_rwlock_t * l), (l), l, reads(l), result == 0)
TAKES_LOCK(pthread_rwlock_tryrdlock, (pthread_rwlock_t * l), (l), l, CSP_LOCK_READ | CSP_LOCK_TRY, result == 0)
TAKES_LOCK(pthread_rwlock_timedrdlock, (pthread_rwlock_t * l, when *until), (l, until), l, CSP_LOCK_READ | CSP_LOCK_TRY,
           result == 0)
TAKES_LOCK(pthread_rwlock_clockrdlock, (pthread_rwlock_t * l, clockid_t clock, when *until), (l, clock, until), l,
           CSP_LOCK_READ | CSP_LOCK_TRY, result == 0)
TAKES_LOCK(pthread_rwlock_wrlock, (pthread_rwlock_t * l), (l), l, CSP_LOCK_WRITE, result == 0)
TAKES_LOCK(pthread_rwlock_trywrlock, (pthread_rwlock_t * l), (l), l, CSP_LOCK_WRITE | CSP_LOCK_TRY, result == 0)
TAKES_LOCK(pthread_rwlock_timedwrlock, (pthread_rwlock_t * l, when *until), (l, until), l,
           CSP_LOCK_WRITE | CSP_LOCK_TRY, result == 0)
TAKES_LOCK(pthread_rwlock_clockwrlock, (pthread_rwlock_t * l, clockid_t clock, when *until), (l, clock, until), l,
           CSP_LOCK_WRITE | CSP_LOCK_TRY, result == 0)
// While there is a writer nobody else can be unlocking: glibc's own field says which kind this unlock is.
GIVES_LOCK(pthread_rwlock_unlock, (pthread_rwlock_t * l), (l), l,
           l->__data.__cur_writer ? CSP_LOCK_WRITE : CSP_LOCK_READ, RIGHT)

// --- conditions: only the mutex gives order --------------------------------------------------------------------------------

typedef struct waiter {
    void *mutex;
    cspr_stack stack;
} waiter;

// Also when the wait ends by cancellation: the mutex has been taken again before cleanup handlers run.
static void lock_again(void *arg)
{
    waiter *w = arg;
    cspr_locked(w->mutex, CSP_LOCK_WRITE, cspr_task_current(), w->stack);
}

#define WAITS(name, params, args, m)                                                                                   \
    CSPR_INTERCEPTOR int name params                                                                                   \
    {                                                                                                                  \
        if (!is_checked())                                                                                             \
            return cspr_real_##name args;                                                                              \
        CSPR_FRAME();                                                                                                  \
        drop_site();                                                                                                   \
        waiter w = {m, CSPR_STACK()};                                                                                  \
        int result;                                                                                                    \
        UNLOCKING(m, CSP_LOCK_WRITE);                                                                                  \
        pthread_cleanup_push(lock_again, &w);                                                                          \
        result = cspr_real_##name args;                                                                                \
        pthread_cleanup_pop(1);                                                                                        \
        return result;                                                                                                 \
    }
WAITS(pthread_cond_wait, (pthread_cond_t * c, pthread_mutex_t *m), (c, m), m)
WAITS(pthread_cond_timedwait, (pthread_cond_t * c, pthread_mutex_t *m, when *until), (c, m, until), m)
WAITS(pthread_cond_clockwait, (pthread_cond_t * c, pthread_mutex_t *m, clockid_t clock, when *until),
      (c, m, clock, until), m)
WAITS(cnd_wait, (cnd_t * c, mtx_t *m), (c, m), m)
WAITS(cnd_timedwait, (cnd_t * c, mtx_t *m, when *until), (c, m, until), m)

// --- once --------------------------------------------------------------------------------------------------------------------

// libc's function takes no argument for f, so f and where to release travel in thread-locals, read at once.
static __thread void (*once_fn)(void);
static __thread pthread_once_t *once_control;

static void run_once(void)
{
    cspr_once_call(once_control, once_fn);
}

static int once_real(pthread_once_t *control, void (*fn)(void))
{
    once_fn = fn;
    once_control = control;
    return cspr_real_pthread_once(control, run_once);
}

static int once_checked(pthread_once_t *control, void (*fn)(void))
{
    int result = CSPR_UNLIKELY(cspr_controlled) ? cspr_control_once(control, fn, once_real) : once_real(control, fn);
    cspr_acquire(control, cspr_task_current());
    return result;
}

CSPR_INTERCEPTOR int pthread_once(pthread_once_t *control, void (*fn)(void))
{
    if (!is_checked())
        return cspr_real_pthread_once(control, fn);
    CSPR_FRAME();
    drop_site();
    return once_checked(control, fn);
}

CSPR_INTERCEPTOR void call_once(once_flag *flag, void (*fn)(void))
{
    _Static_assert(sizeof(once_flag) == sizeof(pthread_once_t), "glibc's once_flag is a pthread_once_t");
    if (!is_checked()) {
        cspr_real_pthread_once((pthread_once_t *)flag, fn);
        return;
    }
    CSPR_FRAME();
    drop_site();
    once_checked((pthread_once_t *)flag, fn);
}

// --- barriers ----------------------------------------------------------------------------------------------------------------

// Rounds of one barrier alternate between two clocks (its first and second half), so that whoever is still leaving one round
// does not learn from early arrivals of the next. By address; glibc's object has no room for the numbers.
typedef struct barrier {
    void *address; // NULL: free
    unsigned count, arrived, round;
} barrier;
enum { MAX_BARRIERS = 1024 };
static barrier barriers[MAX_BARRIERS]; // under barriers_lock
static cspr_lock barriers_lock;

void cspr_barriers_fork_lock(bool take)
{
    cspr_lock_for_fork(&barriers_lock, take);
}

static barrier *find_barrier_locked(const void *address)
{
    for (size_t i = 0; i < MAX_BARRIERS; i++)
        if (barriers[i].address == address)
            return &barriers[i];
    return NULL;
}

static void set_barrier(void *address, unsigned count)
{
    cspr_enter();
    cspr_lock_acquire(&barriers_lock);
    barrier *b = find_barrier_locked(address);
    if (!b && count)
        b = find_barrier_locked(NULL);
    if (b)
        *b = (barrier){count ? address : NULL, count, 0, 0};
    cspr_lock_release(&barriers_lock);
    cspr_leave();
}

// This arrival's clock; *next: the clock of the next round when this is the round's last arrival. Nobody can be in the next
// round before this thread goes on to the real wait, and nobody is left in the round before. A barrier that is not known
// (there are too many) has one clock for all rounds.
static void *arrive(pthread_barrier_t *address, void **next)
{
    cspr_enter();
    cspr_lock_acquire(&barriers_lock);
    barrier *b = find_barrier_locked(address);
    char *clocks = (char *)address;
    size_t at = b && (b->round & 1) ? 16 : 0;
    *next = NULL;
    if (b && ++b->arrived == b->count) {
        b->arrived = 0;
        b->round++;
        *next = clocks + (16 - at);
    }
    cspr_lock_release(&barriers_lock);
    cspr_leave();
    return clocks + at;
}

CSPR_INTERCEPTOR int pthread_barrier_init(pthread_barrier_t *b, const pthread_barrierattr_t *attr, unsigned count)
{
    int result = cspr_real_pthread_barrier_init(b, attr, count);
    if (result == 0 && is_checked()) {
        drop_site();
        set_barrier(b, count);
    }
    return result;
}

CSPR_INTERCEPTOR int pthread_barrier_destroy(pthread_barrier_t *b)
{
    if (is_checked()) {
        drop_site();
        set_barrier(b, 0);
    }
    return cspr_real_pthread_barrier_destroy(b);
}

CSPR_INTERCEPTOR int pthread_barrier_wait(pthread_barrier_t *b)
{
    if (!is_checked())
        return cspr_real_pthread_barrier_wait(b);
    CSPR_FRAME();
    drop_site();
    void *next, *clock = arrive(b, &next);
    if (next)
        cspr_sync_reset(next);
    cspr_release_merge(clock, cspr_task_current());
    int result = cspr_real_pthread_barrier_wait(b);
    cspr_acquire(clock, cspr_task_current());
    return result;
}

// --- semaphores --------------------------------------------------------------------------------------------------------------

// Those that sem_init made for this process alone have units; what is shared with other processes accumulates: who took what
// they posted is not known.

// Also a thread that has no task any more posts and takes: the units must go on being right.
static bool counts_units(void)
{
    return cspr_ready && !cspr_self.in_rtl;
}

CSPR_INTERCEPTOR int sem_init(sem_t *s, int shared, unsigned value)
{
    int result = cspr_real_sem_init(s, shared, value);
    if (result == 0 && counts_units()) {
        drop_site();
        cspr_sem_set(s, shared ? -1 : (int64_t)value);
    }
    return result;
}

CSPR_INTERCEPTOR int sem_destroy(sem_t *s)
{
    if (counts_units()) {
        drop_site();
        cspr_sem_set(s, -1);
    }
    return cspr_real_sem_destroy(s);
}

// Before the real one: the unit may be taken at once.
CSPR_INTERCEPTOR int sem_post(sem_t *s)
{
    if (counts_units()) {
        CSPR_FRAME();
        drop_site();
        if (cspr_sem_is_known(s))
            cspr_sem_release(s, 0, 1, cspr_task_current(), CSPR_BY_CALL);
        else
            cspr_release_merge(s, cspr_task_current());
    }
    return cspr_real_sem_post(s);
}

static void took_unit(sem_t *s)
{
    if (cspr_sem_is_known(s))
        cspr_sem_take(s, 0, 1, cspr_task_current());
    else
        cspr_acquire(s, cspr_task_current());
}

#define TAKES_UNIT(name, params, args)                                                                                 \
    CSPR_INTERCEPTOR int name params                                                                                   \
    {                                                                                                                  \
        if (!counts_units())                                                                                           \
            return cspr_real_##name args;                                                                              \
        CSPR_FRAME();                                                                                                  \
        drop_site();                                                                                                   \
        int result = cspr_real_##name args;                                                                            \
        if (result == 0)                                                                                               \
            took_unit(s);                                                                                              \
        return result;                                                                                                 \
    }
TAKES_UNIT(sem_wait, (sem_t * s), (s))
TAKES_UNIT(sem_trywait, (sem_t * s), (s))
TAKES_UNIT(sem_timedwait, (sem_t * s, when *until), (s, until))
TAKES_UNIT(sem_clockwait, (sem_t * s, clockid_t clock, when *until), (s, clock, until))
