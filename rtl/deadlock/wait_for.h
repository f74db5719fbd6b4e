// wait_for.h - who waits for whom: cycles among parked coroutines and threads, and who holds the lock that one waits for.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An edge leads from one who waits to one who could end the wait:
//   mutex, rwmutex    whoever holds it (exact: the detector's own list). A reader that waits behind a writer who waits: the
//                     holders that the writer waits for.
//   channel           receive: those alive who have sent to it or closed it; send: those who have received. A select waits for
//                     all that its cases do.
//   wait group, cond, semaphore, and a channel nobody used so far: those who have its address on their stack, or in a block
//                     that their stack leads to.
// Somebody is *deadlocked* when there is somebody who could end its wait, as far as that is known, and all of these are
// deadlocked, too. So whoever waits for one that can run, or for nobody known, is not (the leak check tells of it).
#ifndef CSP_RTL_WAIT_FOR_H
#define CSP_RTL_WAIT_FOR_H

#include "rtl.h"

// Why somebody could end a wait.
typedef enum cspr_wait_cause {
    CSPR_CAUSE_HOLDS, // the lock
    CSPR_CAUSE_USED,  // the channel
    CSPR_CAUSE_KNOWS, // has the object's address
} cspr_wait_cause;

enum { CSPR_NO_WAITER = UINT32_MAX };

// One coroutine, main, or thread that called the runtime.
typedef struct cspr_waiter {
    cspr_who who;
    const cspr_task *task;
    int op;              // enum csp_wait_op; CSP_WAIT_NONE: can run
    bool is_main, stays; // stays: nothing but another of them can wake it
    const void *obj;
    void *ch;
    const csp_site *site;
    uint32_t first_case, n_cases; // of a select, in cspr_waits.cases
    // --- cspr_waits_solve
    bool deadlocked;
    uint32_t next; // who is waited for, to be shown; CSPR_NO_WAITER: nobody known
    cspr_wait_cause cause;
    const void *through; // lock, channel, ... by which `next` could end the wait
    void *through_ch;    // the detector's object of that channel
    cspr_stack stack;    // where `next` took the lock or last used the channel; 0: not known
    uint32_t cycle;      // number of the cycle it is part of, 0: none
} cspr_waiter;

typedef struct cspr_waits {
    cspr_waiter *list;
    uint32_t n, cap;
    csp_case_view *cases;
    uint32_t n_cases, cap_cases;
    uint32_t n_cycles;
    uint32_t *by_task; // index, open addressing; see wait_for.c
    uint32_t n_index;
} cspr_waits;

// Adds one: the callback of csp_runtime_view.each, arg is the cspr_waits. Copies.
void cspr_waits_add(const csp_co_view *co, void *arg);
// Finds `deadlocked`, `next` and cycles. Everybody must stand still meanwhile. In the detector, no lock held.
void cspr_waits_solve(cspr_waits *w);
void cspr_waits_fini(cspr_waits *w);

// The one who holds this lock now. False: nobody does that we know of. *ended: it ended without unlocking.
bool cspr_waits_holder(const cspr_waits *w, const void *lock, cspr_who *who, cspr_held *held, bool *ended);

#endif
