// waitq.h - the queue of coroutines parked on a channel or a lock.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A waiter lives on the stack of the parked coroutine; whoever takes it off the queue, under the object's lock, owns it until
// it calls cspi_ready. Two rules follow, and every file that parks keeps them:
//   W1  Take what you still need out of the waiter (its coroutine, the next one) before cspi_ready: then its stack runs on.
//   W2  The object may be freed by the woken side. Release the object's lock before cspi_ready, and touch neither afterwards.
#ifndef CSP_RUNTIME_WAITQ_H
#define CSP_RUNTIME_WAITQ_H

#include "base/atomic.h"
#include "csp/sync.h"
#include "sched.h"

// For helpers that call hooks with a place in the program (accesses, locks, allocations): inlined, so that the detector sees
// the hook called from the public function, and reports name that.
#define CSPI_IN_PUBLIC static inline __attribute__((always_inline))

// First member of what the objects queue; they add fields behind it.
typedef struct cspi_waiter {
    struct cspi_waiter *next;
    struct cspi_waiter *prev;
    csp_co *co;
} cspi_waiter;

// Changed under the object's lock. The head is stored atomically for who only looks whether somebody waits (relaxed: a hint).
typedef struct csp_waitq cspi_waitq;

static inline bool cspi_waitq_empty(const cspi_waitq *q)
{
    return !q->head;
}

static inline void cspi_waitq_push(cspi_waitq *q, cspi_waiter *w)
{
    w->next = NULL;
    w->prev = q->tail;
    if (q->tail)
        q->tail->next = w;
    else
        csp_store_rlx(&q->head, w);
    q->tail = w;
}

static inline void cspi_waitq_push_front(cspi_waitq *q, cspi_waiter *w)
{
    w->prev = NULL;
    w->next = q->head;
    if (q->head)
        q->head->prev = w;
    else
        q->tail = w;
    csp_store_rlx(&q->head, w);
}

static inline void cspi_waitq_remove(cspi_waitq *q, cspi_waiter *w)
{
    if (w->prev)
        w->prev->next = w->next;
    else
        csp_store_rlx(&q->head, w->next);
    if (w->next)
        w->next->prev = w->prev;
    else
        q->tail = w->prev;
    w->next = w->prev = NULL;
}

// The longest waiting one, off the queue; NULL: none.
static inline cspi_waiter *cspi_waitq_pop(cspi_waitq *q)
{
    cspi_waiter *w = q->head;
    if (w)
        cspi_waitq_remove(q, w);
    return w;
}

// All waiters, off the queue, as a list linked by next.
static inline cspi_waiter *cspi_waitq_take_all(cspi_waitq *q)
{
    cspi_waiter *list = q->head;
    csp_store_rlx(&q->head, (cspi_waiter *)NULL);
    q->tail = NULL;
    return list;
}

// Readies a list from cspi_waitq_take_all. The object's lock is no longer held.
static inline void cspi_waitq_ready_all(cspi_waiter *list)
{
    while (list) {
        cspi_waiter *next = list->next;
        cspi_ready(list->co);
        list = next;
    }
}

// --- waiters that may give up, where a grant must not be followed by a touch of the object --------------------------------
//
// A wait with a limit is abandoned from another thread, which then needs the object's lock. Where the object may be freed as
// soon as the waiter was granted (by another one that the same call woke: conditions, wait groups), the abandoning thread has
// to know before it touches the object that the waiter was not: whoever moves `decided` from 0 to 1 first decides, the one
// who grants or the one who abandons. A waiter decided by the latter stays in the queue until that one has the lock.
typedef struct cspi_claimed_waiter {
    cspi_waiter base;
    bool may_give_up;
    bool granted;     // under the object's lock
    bool queued;      // under the object's lock
    uint32_t decided; // atomic
} cspi_claimed_waiter;

static inline bool cspi_waiter_claim(cspi_claimed_waiter *w)
{
    uint32_t undecided = 0;
    return !w->may_give_up || csp_cas_acqrel(&w->decided, &undecided, 1);
}

// Takes the first waiter that has not given up off q and grants it; NULL: none. All in q are cspi_claimed_waiters; the
// object's lock is held.
static inline cspi_waiter *cspi_waitq_grant(cspi_waitq *q)
{
    for (cspi_waiter *w = q->head; w; w = w->next) {
        cspi_claimed_waiter *c = (cspi_claimed_waiter *)w;
        if (!cspi_waiter_claim(c))
            continue;
        cspi_waitq_remove(q, w);
        c->queued = false;
        c->granted = true;
        return w;
    }
    return NULL;
}

// As above, all of them, as a list linked by next.
static inline cspi_waiter *cspi_waitq_grant_all(cspi_waitq *q)
{
    cspi_waitq granted = {0};
    cspi_waiter *w;
    while ((w = cspi_waitq_grant(q)))
        cspi_waitq_push(&granted, w);
    return granted.head;
}

// The public structs keep their lock as a bare word, so that sync.h needs no internal header.
static inline cspi_lock *cspi_lock_of(uint32_t *word)
{
    return (cspi_lock *)word;
}
_Static_assert(sizeof(cspi_lock) == sizeof(uint32_t), "sync.h reserves one word for a lock");

// mutex.c, for conditions: lock and unlock with their hooks, without a frame record of their own.
void cspi_mutex_lock(csp_mutex *m, const csp_site *site);
void cspi_mutex_unlock(csp_mutex *m);

#endif
