// monitor.h - the thread that notices workers which are stuck in a coroutine while others wait.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// It is there from the first moment at which work waits and no worker may be had for it, and sleeps without a timeout
// whenever that has not been so for a while.
//
// Never miss a call. Both sides write, then look, with a fence between:
//     who finds no room                                       the monitor, before it sleeps
//     has put a coroutine in a queue, or armed a timer         M1 stores ASLEEP
//     fence (W2), sees n_available == 0                        M2 fence
//     sees ASLEEP, wakes                                       M3 looks for work that waits without room
#ifndef CSP_RUNTIME_MONITOR_H
#define CSP_RUNTIME_MONITOR_H

#include "poll.h"
#include "worker.h"

enum cspi_monitor_state { MONITOR_NONE, MONITOR_ASLEEP, MONITOR_AWAKE, MONITOR_REFUSED };

extern uint32_t cspi_monitor_state; // atomic, futex

void cspi_monitor_wake(void);
void cspi_monitor_after_fork(void);

// Work waits, or may come by time, and no worker may be woken for it. Any thread; cheap while the monitor is awake.
static inline void cspi_monitor_wanted(void)
{
    if (CSPI_CONTROLLED())
        return; // no worker is ever stuck there, and descriptors are asked for when no task can go on
    if (csp_load_rlx(&cspi_monitor_state) < MONITOR_AWAKE) // relaxed: after W2; see above
        cspi_monitor_wake();
}

// Timers or descriptors may wake somebody, and no idle worker looks after them. Caller holds cspi_sched.lock.
static inline bool cspi_nobody_keeps_locked(void)
{
    // relaxed: who changes it looks for a keeper afterwards
    return !cspi_sched.keeper && (cspi_timers_earliest() != INT64_MAX || csp_load_rlx(&cspi_poll_waiting) > 0);
}

// n_available has become 0: from now on nobody but the monitor looks after time. Caller holds cspi_sched.lock.
static inline void cspi_monitor_note_full(void)
{
    if (cspi_nobody_keeps_locked())
        cspi_monitor_wanted();
}

#endif
