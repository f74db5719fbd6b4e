// lock_wait.h - tasks that wait for a lock while they hold others, to see a cycle close; locks whose holder has ended.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_RTL_LOCK_WAIT_H
#define CSP_RTL_LOCK_WAIT_H

#include "task/task.h"

// One of a cycle: it waits for a lock that the next one holds.
typedef struct cspr_lock_waiting {
    cspr_task *task;
    cspr_who who;
    const void *lock;
    int mode;
    cspr_stack stack; // of the wait
    cspr_held held;   // as the next one took it; in a cycle only
} cspr_lock_waiting;

enum { CSPR_MAX_LOCK_CYCLE = 16, CSPR_MAX_LOCK_WAITS = 4096 };
typedef struct cspr_lock_cycle {
    size_t n;
    cspr_lock_waiting of[CSPR_MAX_LOCK_CYCLE];
} cspr_lock_cycle;

// The running task, which holds locks, begins to wait for one without a limit of time. True: that closes a cycle, *out. A cycle
// is certain: who waits here keeps what it holds until it gets what it waits for. More than CSPR_MAX_LOCK_WAITS of them are not
// looked at, nor cycles of more than CSPR_MAX_LOCK_CYCLE: the check at exit finds those.
bool cspr_lock_wait_begin(cspr_task *t, const void *lock, int mode, cspr_stack stack, cspr_lock_cycle *out);
void cspr_lock_wait_end_slow(cspr_task *t);
static inline void cspr_lock_wait_end(cspr_task *t)
{
    if (CSPR_UNLIKELY(t->lock_wait))
        cspr_lock_wait_end_slow(t);
}

// t ends, holding locks.
void cspr_locks_abandon(const cspr_task *t);
// Somebody unlocks a lock without holding it: it is abandoned no more, if it was, and from now on one that is handed from task
// to task (as csp_mutex allows): who locked it says nothing of who will unlock it.
void cspr_lock_hand(const void *lock);
bool cspr_lock_is_handed_slow(const void *lock);
extern uint32_t cspr_locks_handed; // how many ever; atomic
static inline bool cspr_lock_is_handed(const void *lock)
{
    // Relaxed: a hint; the lock's own order brings what matters.
    return CSPR_UNLIKELY(__atomic_load_n(&cspr_locks_handed, __ATOMIC_RELAXED)) && cspr_lock_is_handed_slow(lock);
}
// By whom, and where it had been locked.
bool cspr_lock_abandoned(const void *lock, cspr_who *who, cspr_held *held);

// deadlock.c: as lock_wait_begin, telling what is found: a recursive read lock, too.
void cspr_lock_waits(const void *lock, int mode, cspr_task *t, cspr_stack stack);
void cspr_deadlock_all_asleep(void); // hook all_asleep

void cspr_lock_wait_fork_lock(bool take); // while the process forks (shadow.c)

#endif
