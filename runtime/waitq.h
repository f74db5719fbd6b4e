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
#include "limit.h"
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

// --- places that may be given up ------------------------------------------------------------------------------------------
//
// Granting a place and giving it up meet under the object's lock: whoever comes first takes it off the queue, the other finds
// it gone. That another thread needs the lock to give up is no danger to an object that is freed early: whoever waits with a
// limit may be giving up at any moment, so nobody can know it to be done before its call has returned. (Channels can: there a
// partner knows that the operation happened. So select.c does it otherwise.)

typedef struct cspi_place {
    cspi_waiter base;
    // --- under the object's lock
    bool queued;
    bool granted; // the waiter has what it waits for
} cspi_place;

static inline void cspi_place_push(cspi_waitq *q, cspi_place *p)
{
    p->queued = true;
    cspi_waitq_push(q, &p->base);
}

static inline void cspi_place_grant(cspi_place *p)
{
    p->queued = false;
    p->granted = true;
}

// The first place in q, off it and granted; NULL: none.
static inline cspi_waiter *cspi_waitq_grant(cspi_waitq *q)
{
    cspi_waiter *w = cspi_waitq_pop(q);
    if (w)
        cspi_place_grant((cspi_place *)w);
    return w;
}

// All of q likewise, as a list linked by next.
static inline cspi_waiter *cspi_waitq_grant_all(cspi_waitq *q)
{
    cspi_waiter *list = cspi_waitq_take_all(q);
    for (cspi_waiter *w = list; w; w = w->next)
        cspi_place_grant((cspi_place *)w);
    return list;
}

// A place with a limit. The waiter fills the second group, calls begin, takes the lock and looks again; unless it gets what it
// wants, or giveup.why is set, it queues the place and parks. Then, without the lock, it calls end.
typedef struct cspi_limited {
    cspi_giveup giveup; // first: abandon finds us
    cspi_place *place;
    cspi_lock *lock; // the object's
    cspi_waitq *queue;
    cspi_waiter *(*left)(
        void *obj); // NULL, or: the place has left the queue, the lock is held; returns who may go on now
    void *obj;
} cspi_limited;

// False: the limit is over already. End is called all the same.
bool cspi_limited_begin(cspi_limited *l, const cspi_limit *limit);
// True: granted. False: given up, errno says why.
bool cspi_limited_end(cspi_limited *l, bool begun);

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
