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

// First and last of those parked on an object; the runtime's.
struct csp_waitq {
    struct cspi_waiter *head;
    struct cspi_waiter *tail;
};

// --- mutex ----------------------------------------------------------------------------------------------------------------
// Not recursive, not bound to the coroutine that locked it. Waiters are served in order; a newcomer may overtake them, but
// not one that has waited longer than a millisecond. Go: sync.Mutex.
typedef struct csp_mutex {
    uint32_t state;
    uint32_t lock; // guards waiters
    struct csp_waitq waiters;
} csp_mutex;

// Parks until the lock is free, and takes it.
CSP_SITE void csp_mutex_lock(csp_mutex *m);
// Never parks. False: somebody holds it (this orders nothing).
CSP_SITE bool csp_mutex_trylock(csp_mutex *m);
// Never parks. Fatal when m is not locked: "sync: unlock of unlocked mutex".
CSP_SITE void csp_mutex_unlock(csp_mutex *m);

// --- reader/writer lock ---------------------------------------------------------------------------------------------------
// Many readers or one writer. A waiting writer keeps new readers out, so do not read-lock recursively; the readers that
// waited for a writer go before the next writer. Go: sync.RWMutex.
typedef struct csp_rwmutex {
    uint32_t lock;    // guards all below
    uint32_t writing; // 1: a writer holds it
    uint64_t readers; // how many readers hold it
    struct csp_waitq waiting_writers;
    struct csp_waitq waiting_readers;
} csp_rwmutex;

CSP_SITE void csp_rwmutex_lock(csp_rwmutex *m);     // for writing; parks
CSP_SITE bool csp_rwmutex_trylock(csp_rwmutex *m);  // never parks; false: held
CSP_SITE void csp_rwmutex_unlock(csp_rwmutex *m);   // fatal: "sync: Unlock of unlocked RWMutex"
CSP_SITE void csp_rwmutex_rlock(csp_rwmutex *m);    // for reading; parks
CSP_SITE bool csp_rwmutex_tryrlock(csp_rwmutex *m); // never parks; false: held for writing, or a writer waits
CSP_SITE void csp_rwmutex_runlock(csp_rwmutex *m);  // fatal: "sync: RUnlock of unlocked RWMutex"

// --- wait group -----------------------------------------------------------------------------------------------------------
// A counter one can wait on. When it was 0, add before starting what will call done, not inside it: an add that is not
// ordered with a concurrent wait is reported as a race. Go: sync.WaitGroup.
typedef struct csp_wg {
    uint32_t lock;  // guards all below
    uint32_t noted; // the detector has been told of a wait
    int64_t count;
    struct csp_waitq waiters;
    uint64_t first_add; // never touched by the runtime: stands for "add from 0 against wait" in the detector
} csp_wg;

// Adds n, which may be negative. Below 0 it panics: "sync: negative WaitGroup counter". At 0 those who wait go on.
CSP_SITE void csp_wg_add(csp_wg *wg, int n);
CSP_SITE void csp_wg_done(csp_wg *wg); // csp_wg_add(wg, -1)
// Parks until the counter is 0; every done so far happens before its return. The group may then be used again, or freed.
CSP_SITE void csp_wg_wait(csp_wg *wg);

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
// Wakes the one that waits longest, or nobody. Never parks; m need not be held.
CSP_SITE void csp_cond_signal(csp_cond *cond);
// Wakes all that wait now.
CSP_SITE void csp_cond_broadcast(csp_cond *cond);

// --- weighted semaphore ---------------------------------------------------------------------------------------------------
// Permits taken and returned in any amounts; waiters are served strictly in order, so a large request is not starved by
// small ones. Zeroed it has no permits. Go: golang.org/x/sync/semaphore.
typedef struct csp_sem {
    uint32_t lock; // guards all below
    uint32_t unused;
    int64_t permits;
    struct csp_waitq waiters;
} csp_sem;

// Gives it n permits (0 or more) before its first use.
CSP_SITE void csp_sem_init(csp_sem *s, int64_t n);
// Parks until k permits are there and nobody waits before us, and takes them.
CSP_SITE void csp_sem_acquire(csp_sem *s, int64_t k);
// Never parks. False: not enough permits, or somebody waits for some.
CSP_SITE bool csp_sem_tryacquire(csp_sem *s, int64_t k);
// Returns k permits. Never parks. A negative amount panics in all four: "csp_sem: negative number of permits".
CSP_SITE void csp_sem_release(csp_sem *s, int64_t k);

CSP_PUBLIC_END
#ifdef __cplusplus
}
#define CSP_STATIC_ASSERT static_assert
#else
#define CSP_STATIC_ASSERT _Static_assert
#endif

// Object files with and without the sanitizer share these objects: the layout is an interface.
CSP_STATIC_ASSERT(sizeof(csp_mutex) == 24 && sizeof(csp_rwmutex) == 48 && sizeof(csp_wg) == 40, "layout is fixed");
CSP_STATIC_ASSERT(sizeof(csp_once) == 24 && sizeof(csp_cond) == 24 && sizeof(csp_sem) == 32, "layout is fixed");
#undef CSP_STATIC_ASSERT
#endif
