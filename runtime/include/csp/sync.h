// sync.h - locks, wait groups, once, conditions and semaphores that park coroutines, after Go's package sync.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every object is valid when zeroed (static storage, = {0}, calloc), needs no clean-up, and must not be copied after its
// first use. It may be freed as soon as a call proves that the others are done with it: nobody touches it after waking its
// partner. The layout is the same with and without the sanitizer. Waiting parks a coroutine and blocks a plain pthread.
#ifndef CSP_SYNC_H
#define CSP_SYNC_H

#include "site.h"

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
CSP_PUBLIC_BEGIN

typedef struct csp_ctx csp_ctx; // context.h

// Waiting with a limit. The _until forms give up at an instant of csp_now(), the _ctx forms when ctx is cancelled or its
// deadline passes (NULL or background: never). They return true when they did what the plain form does; giving up they
// return false with errno ETIMEDOUT or ECANCELED (csp_ctx_err(ctx)), having changed and ordered nothing - except that a
// cancellation happens before the return that reports it. A limit that is over already still lets them succeed when that
// needs no waiting. Who gives up lets those who waited behind it go on. csp_once_do has no such form, as Go's has none: a
// caller that gave up would have to do without what the others rely on.

// The runtime's: a lock that nobody else wants is taken and released inline, since pushing a return address before a locked
// instruction costs as much as a third of it. Not in code that a sanitizer checks, and not when a detector is linked (it has to
// see every lock): then, and without optimisation, these are calls. Programs are rebuilt when the runtime changes.
#if defined(__has_feature)
#define CSP_HAS_FEATURE(f) __has_feature(f)
#else
#define CSP_HAS_FEATURE(f) 0
#endif
#if defined(CSP_HOOKS) || defined(CSP_NO_FAST_PATHS) || defined(__SANITIZE_THREAD__) ||                                \
    CSP_HAS_FEATURE(thread_sanitizer) || !defined(__OPTIMIZE__)
#define CSP_FAST_PATHS 0
#else
#define CSP_FAST_PATHS 1
#define CSP_FAST_PATH extern __inline __attribute__((__gnu_inline__))
#define CSP_FAST_EXCHANGE(word, was, becomes, order)                                                                   \
    __builtin_expect(__atomic_compare_exchange_n(word, was, becomes, 0, order, __ATOMIC_RELAXED), 1)
#endif
extern const bool csp_unobserved;
typedef struct csp_mutex csp_mutex;
typedef struct csp_rwmutex csp_rwmutex;
void csp_mutex_lock_wait(csp_mutex *m);
void csp_mutex_unlock_wake(csp_mutex *m);
void csp_rwmutex_rlock_wait(csp_rwmutex *m);
void csp_rwmutex_runlock_wake(csp_rwmutex *m);

// First and last of those parked on an object; the runtime's.
struct csp_waitq {
    struct cspi_waiter *head;
    struct cspi_waiter *tail;
};

// --- mutex ----------------------------------------------------------------------------------------------------------------
// Not recursive, not bound to the coroutine that locked it. Waiters are served in order; a newcomer may overtake them, but
// not one that has waited longer than a millisecond. Go: sync.Mutex.
struct csp_mutex {
    uint32_t state;
    uint32_t lock; // guards waiters
    struct csp_waitq waiters;
};

// Parks until the lock is free, and takes it.
CSP_SITE void csp_mutex_lock(csp_mutex *m);
// The same with a limit; false: not locked, see above.
CSP_SITE bool csp_mutex_lock_until(csp_mutex *m, int64_t at);
CSP_SITE bool csp_mutex_lock_ctx(csp_mutex *m, csp_ctx *ctx);
// Never parks. False: somebody holds it (this orders nothing).
CSP_SITE bool csp_mutex_trylock(csp_mutex *m);
// Never parks. Fatal when m is not locked: "sync: unlock of unlocked mutex".
CSP_SITE void csp_mutex_unlock(csp_mutex *m);

#if CSP_FAST_PATHS
CSP_FAST_PATH void csp_mutex_lock(csp_mutex *m)
{
    uint32_t was = 0;
    if (!csp_unobserved || !CSP_FAST_EXCHANGE(&m->state, &was, 1u, __ATOMIC_ACQUIRE))
        csp_mutex_lock_wait(m);
}

CSP_FAST_PATH void csp_mutex_unlock(csp_mutex *m)
{
    uint32_t was = 1;
    if (!csp_unobserved || !CSP_FAST_EXCHANGE(&m->state, &was, 0u, __ATOMIC_RELEASE))
        csp_mutex_unlock_wake(m);
}
#endif

// --- reader/writer lock ---------------------------------------------------------------------------------------------------
// Many readers or one writer. A waiting writer keeps new readers out, so do not read-lock recursively; the readers that
// waited for a writer go before the next writer. Go: sync.RWMutex.
struct csp_rwmutex {
    uint32_t lock; // guards the queues
    uint32_t unused;
    uint64_t state;
    struct csp_waitq waiting_writers;
    struct csp_waitq waiting_readers;
};

CSP_SITE void csp_rwmutex_lock(csp_rwmutex *m);     // for writing; parks
CSP_SITE bool csp_rwmutex_trylock(csp_rwmutex *m);  // never parks; false: held
CSP_SITE void csp_rwmutex_unlock(csp_rwmutex *m);   // fatal: "sync: Unlock of unlocked RWMutex"
CSP_SITE void csp_rwmutex_rlock(csp_rwmutex *m);    // for reading; parks
CSP_SITE bool csp_rwmutex_tryrlock(csp_rwmutex *m); // never parks; false: held for writing, or a writer waits
CSP_SITE void csp_rwmutex_runlock(csp_rwmutex *m);  // fatal: "sync: RUnlock of unlocked RWMutex"
// The same with a limit; false: not locked. Readers kept out by a writer alone come in when it gives up.
CSP_SITE bool csp_rwmutex_lock_until(csp_rwmutex *m, int64_t at);
CSP_SITE bool csp_rwmutex_lock_ctx(csp_rwmutex *m, csp_ctx *ctx);
CSP_SITE bool csp_rwmutex_rlock_until(csp_rwmutex *m, int64_t at);
CSP_SITE bool csp_rwmutex_rlock_ctx(csp_rwmutex *m, csp_ctx *ctx);

#if CSP_FAST_PATHS
CSP_FAST_PATH void csp_rwmutex_rlock(csp_rwmutex *m)
{
    uint64_t was = 0;
    if (!csp_unobserved || !CSP_FAST_EXCHANGE(&m->state, &was, (uint64_t)4, __ATOMIC_ACQUIRE))
        csp_rwmutex_rlock_wait(m);
}

CSP_FAST_PATH void csp_rwmutex_runlock(csp_rwmutex *m)
{
    uint64_t was = 4;
    if (!csp_unobserved || !CSP_FAST_EXCHANGE(&m->state, &was, (uint64_t)0, __ATOMIC_RELEASE))
        csp_rwmutex_runlock_wake(m);
}
#endif

// --- wait group -----------------------------------------------------------------------------------------------------------
// A counter one can wait on. When it was 0, add before starting what will call done, not inside it: an add that is not
// ordered with a concurrent wait is reported as a race. Go: sync.WaitGroup.
typedef struct csp_wg {
    uint32_t lock;  // guards the queue
    uint32_t noted; // the detector has been told of a wait
    int64_t state;
    struct csp_waitq waiters;
    uint64_t first_add; // never touched by the runtime: stands for "add from 0 against wait" in the detector
} csp_wg;

// Adds n, which may be negative. Below 0 it panics: "sync: negative WaitGroup counter". At 0 those who wait go on.
CSP_SITE void csp_wg_add(csp_wg *wg, int n);
CSP_SITE void csp_wg_done(csp_wg *wg); // csp_wg_add(wg, -1)
// Parks until the counter is 0; every done so far happens before its return. The group may then be used again, or freed.
CSP_SITE void csp_wg_wait(csp_wg *wg);
// The same with a limit; false: gave up. The group may not be freed then: the others are not done.
CSP_SITE bool csp_wg_wait_until(csp_wg *wg, int64_t at);
CSP_SITE bool csp_wg_wait_ctx(csp_wg *wg, csp_ctx *ctx);

// --- once -----------------------------------------------------------------------------------------------------------------
typedef struct csp_once {
    uint32_t state;
    uint32_t lock; // guards waiters
    struct csp_waitq waiters;
} csp_once;

// The first call runs fn(arg); every call returns after that run has ended, parking until then. Calling it again from inside
// fn waits for ever, as do all others if fn ends its coroutine with csp_exit. Go: sync.Once.
CSP_SITE void csp_once_do(csp_once *once, void (*fn)(void *), void *arg);

// --- condition ------------------------------------------------------------------------------------------------------------
typedef struct csp_cond {
    uint32_t lock; // guards waiters
    uint32_t unused;
    struct csp_waitq waiters;
} csp_cond;

// Unlocks m, parks until a signal, and locks m again. m must be locked. There are no spurious returns, but what was waited
// for may have changed again: wait in a loop. What the signaller did before happens before the return. Go: sync.Cond.
CSP_SITE void csp_cond_wait(csp_cond *cond, csp_mutex *m);
// The same with a limit. True: a signal was received; false: gave up. Either way m is locked again on return, which has no
// limit. A limit that is over already returns false without unlocking m. A signal and giving up never coincide: the signal
// goes to somebody who waits on.
CSP_SITE bool csp_cond_wait_until(csp_cond *cond, csp_mutex *m, int64_t at);
CSP_SITE bool csp_cond_wait_ctx(csp_cond *cond, csp_mutex *m, csp_ctx *ctx);
// Wakes the one that waits longest, or nobody. Never parks; m need not be held.
CSP_SITE void csp_cond_signal(csp_cond *cond);
// Wakes all that wait now.
CSP_SITE void csp_cond_broadcast(csp_cond *cond);

// --- weighted semaphore ---------------------------------------------------------------------------------------------------
// Permits taken and returned in any amounts; waiters are served strictly in order, so a large request is not starved by
// small ones. Zeroed it has no permits. Go: golang.org/x/sync/semaphore.
typedef struct csp_sem {
    uint32_t lock; // guards the queue
    uint32_t unused;
    int64_t permits; // the sign bit: somebody waits
    struct csp_waitq waiters;
} csp_sem;

// Gives it n permits (0 or more) before its first use.
CSP_SITE void csp_sem_init(csp_sem *s, int64_t n);
// Parks until k permits are there and nobody waits before us, and takes them.
CSP_SITE void csp_sem_acquire(csp_sem *s, int64_t k);
// The same with a limit; false: took none. Smaller requests behind one that gives up go on. Go: Weighted.Acquire(ctx, n).
CSP_SITE bool csp_sem_acquire_until(csp_sem *s, int64_t k, int64_t at);
CSP_SITE bool csp_sem_acquire_ctx(csp_sem *s, int64_t k, csp_ctx *ctx);
// Never parks. False: not enough permits, or somebody waits for some.
CSP_SITE bool csp_sem_tryacquire(csp_sem *s, int64_t k);
// Returns k permits. Never parks. Panics with "csp_sem: too many permits" beyond 2^63 - 1. A negative amount panics in all of
// these: "csp_sem: negative number of permits".
CSP_SITE void csp_sem_release(csp_sem *s, int64_t k);

CSP_PUBLIC_END
#ifdef __cplusplus
}
#define CSP_STATIC_ASSERT static_assert
#else
#define CSP_STATIC_ASSERT _Static_assert
#endif

// Object files with and without the sanitizer share these objects: the layout is an interface.
CSP_STATIC_ASSERT(sizeof(csp_mutex) == 24, "layout is fixed");
CSP_STATIC_ASSERT(sizeof(csp_rwmutex) == 48, "layout is fixed");
CSP_STATIC_ASSERT(sizeof(csp_wg) == 40, "layout is fixed");
CSP_STATIC_ASSERT(sizeof(csp_once) == 24, "layout is fixed");
CSP_STATIC_ASSERT(sizeof(csp_cond) == 24, "layout is fixed");
CSP_STATIC_ASSERT(sizeof(csp_sem) == 32, "layout is fixed");
#undef CSP_STATIC_ASSERT
#undef CSP_HAS_FEATURE
#endif
