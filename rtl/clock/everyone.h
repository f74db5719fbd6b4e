// everyone.h - epochs that every live task knows: nothing that anybody does later can race with them.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Cells hold one epoch each. Where a new epoch meets some bytes of a word, the older one has to be kept for the others,
// aside, unless nobody can race with it any more: every live task's clock has it, and all later tasks begin with what a live
// one knows. That is so for what main prepared before it started threads, for what lies a few barriers back, for what a lock
// guards. Asking is a compare in the usual case; it works for the first few ids and while few tasks live, else says no.
#ifndef CSP_RTL_EVERYONE_H
#define CSP_RTL_EVERYONE_H

#include "task/task.h"

enum { CSPR_EVERYONE_IDS = 64 };
#define CSPR_NO_ROW 0xffu

// By id, a clock value that every live task has; never falls. Atomic.
extern uint64_t cspr_everyone_has[CSPR_EVERYONE_IDS];

// Whether every live task knows the epoch. t knows it, and is the running one.
bool cspr_everyone_knows_slow(const cspr_task *t, uint32_t id, uint64_t at);
static inline bool cspr_everyone_knows(const cspr_task *t, uint32_t epoch)
{
    uint32_t id = cspr_epoch_run(epoch)->id;
    uint64_t at = cspr_epoch_clock(epoch);
    if (id >= CSPR_EVERYONE_IDS)
        return false;
    // Relaxed: what was true once stays true, and no other memory comes with it.
    return __atomic_load_n(&cspr_everyone_has[id], __ATOMIC_RELAXED) >= at || cspr_everyone_knows_slow(t, id, at);
}

// A task begins: called by its creator, whose clock stands still meanwhile. It ends: its last clock counts until it is freed,
// for its joiner.
void cspr_everyone_add(cspr_task *t);
void cspr_everyone_ended(cspr_task *t);
void cspr_everyone_remove(cspr_task *t);
// t learned something.
void cspr_everyone_learned_slow(cspr_task *t);
static inline void cspr_everyone_learned(cspr_task *t)
{
    extern uint32_t cspr_everyone_asks; // rows whose task should say what it knows; atomic
    // Relaxed: a hint.
    if (CSPR_UNLIKELY(t->row != CSPR_NO_ROW && __atomic_load_n(&cspr_everyone_asks, __ATOMIC_RELAXED) >> t->row & 1))
        cspr_everyone_learned_slow(t);
}
// t waits for the end of another task and will know all that one knows: until it is back that one's clock stands for t's.
// What a signal handler does on the waiting thread meanwhile is checked against what is still kept.
void cspr_everyone_waits(cspr_task *t, const cspr_task *ended);
void cspr_everyone_back(cspr_task *t);
// A clock is kept with which a task may begin later: nothing is known to everyone meanwhile.
void cspr_everyone_hold(void);
void cspr_everyone_unhold(void);

#endif
