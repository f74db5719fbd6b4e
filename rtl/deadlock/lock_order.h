// lock_order.h - the orders in which locks are taken, and cycles among them: deadlocks that did not bite this time.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Taking lock B while holding A is a *step* A -> B. Steps of different tasks that form a cycle can deadlock, unless
//   O1  two of them were made under one more lock (a gate), not only read-locked by both;
//   O2  one of them was made before another, in any run: ordered by something else than locks (go, channels, wait groups, join,
//       atomics, ...). What order is left without locks is kept beside the vector clocks: cspr_task.order, cspr_stamp.order, of
//       tasks that have made steps only, so that a program without nested locks pays one compare per release and acquire;
//   O3  where one of them only read-locks a lock, and the step into that lock only wants to read it: then somebody must be able
//       to come between who wants to write, and make readers wait (csp_rwmutex; a pthread rwlock that prefers writers). One
//       counts that write-locks it after it was first read-locked while something else was held.
// A try-lock, or one with a time limit, makes no step: it cannot wait for ever. What it took counts as held.
// A lock is an id in the sync object of its address, so one that is made anew where another was is another one.
#ifndef CSP_RTL_LOCK_ORDER_H
#define CSP_RTL_LOCK_ORDER_H

#include "task/task.h"

// A lock as an object, not as an address; 0: none. 20 bits of index, 12 of generation.
typedef uint32_t cspr_lock_id;

typedef struct cspr_lock_step {
    const void *held_lock, *lock; // taken while held_lock was held
    int held_mode, mode;
    cspr_stack held_stack, stack;
    cspr_who who;
} cspr_lock_step;

// A cycle: the lock of each step is the held_lock of the next one.
enum { CSPR_MAX_CYCLE = 10 };
typedef struct cspr_lock_steps {
    size_t n;
    cspr_lock_step of[CSPR_MAX_CYCLE];
} cspr_lock_steps;

enum {
    CSPR_LOCK_TRY = CSP_LOCK_TRY,
    CSPR_LOCK_FAIR = 4, // or-ed to a mode: readers wait behind a writer that waits
};

// The running task has taken the lock, and holds others, which are still the only ones in its list. Tells of cycles. mode: with
// the bits above. In the detector, no lock held.
void cspr_lock_order_taken(cspr_task *t, const void *lock, int mode, cspr_stack stack);
// A lock that is known here was write-locked: O3.
extern bool cspr_lock_order_reads; // atomic: something was read-locked while something else was held
void cspr_lock_order_wrote(cspr_lock_id id, cspr_task *t);
// Frees what the calling thread, which ends, has kept.
void cspr_lock_order_thread_ends(void);
// lock_graph.c: it is no more. Takes no lock: the caller has taken a word.
void cspr_lock_order_gone(cspr_lock_id id);

// sync.c: the id of the lock; make: it gets one if it has none. In the detector.
cspr_lock_id cspr_lock_id_of(const void *lock, bool make);
cspr_lock_id cspr_lock_id_new(const void *lock); // lock_graph.c, for the above; 0: there are too many

// lock_report.c
void cspr_report_lock_order(const cspr_lock_steps *cycle);

void cspr_lock_order_fork_lock(bool take); // while the process forks (shadow.c)

#endif
