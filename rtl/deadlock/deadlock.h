// deadlock.h - deadlocks as verdicts: cycles of locks the moment they close, cycles through anything when all is at rest.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_RTL_DEADLOCK_H
#define CSP_RTL_DEADLOCK_H

#include "deadlock/wait_for.h"
#include "report/report.h"

// --- at rest (exit, leak check) ----------------------------------------------------------------------------------------------

// Reports each cycle among the coroutines that stand still; called before the leaks are reported. Everybody stands still. In the
// detector; takes the report lock.
void cspr_deadlock_check(void);
// Whether it was named in a report of a deadlock.
bool cspr_deadlock_told(cspr_who who);
// For the report of one who waits for a lock: "  Mutex M0 'm' (0x...) is held by coroutine 7, which locked it at:" and the
// stack; or that it ended without unlocking it. Nothing when the holder is not known. Caller holds the report lock.
void cspr_report_holder(cspr_report *r, const void *lock);
// Hook: the runtime is about to end the process because all are asleep; tells who waits for whom.
void cspr_deadlock_all_asleep(void);

// --- while it runs -----------------------------------------------------------------------------------------------------------

// t is about to wait for a lock, without a limit of time: reports a recursive read lock, and the cycle that this wait closes. No lock
// held. What is begun here ends when the lock is taken (cspr_locked), or with cspr_lock_wait_end.
void cspr_lock_waits(const void *lock, int mode, cspr_task *t, cspr_stack stack);

// control_stuck.c: lines on tasks that wait for libc's objects under a controlled schedule. Caller holds the report lock.
struct cspr_report;
void cspr_control_stuck_tell(struct cspr_report *r);

#endif
