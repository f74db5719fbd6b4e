// waitq.h - the queue of coroutines parked on a channel or a lock.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A waiter lives on the stack of the parked coroutine; whoever takes it off the queue, under the object's lock, owns it until
// it calls cspi_ready. Two rules follow, and every file that parks keeps them:
//   W1  Take what you still need out of the waiter (its coroutine, the next one) before cspi_ready: then its stack runs on.
//   W2  The object may be freed by the woken side. Release the object's lock before cspi_ready, and touch neither afterwards.
#ifndef CSP_RUNTIME_WAITQ_H
#define CSP_RUNTIME_WAITQ_H

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
        q->head = w;
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
    q->head = w;
}

static inline void cspi_waitq_remove(cspi_waitq *q, cspi_waiter *w)
{
    if (w->prev)
        w->prev->next = w->next;
    else
        q->head = w->next;
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
    q->head = q->tail = NULL;
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
