// sem.h - semaphores' order: an acquire is ordered after the releases whose units it takes, first in first out (rule F1).
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Units come out in the order in which they were released; those that were there from the start carry nothing. They are kept
// in the semaphore's sync object (side.h), so that free and reuse of its memory drop them in passing.
#ifndef CSP_RTL_SEM_H
#define CSP_RTL_SEM_H

#include "rtl.h"

struct cspr_sync;

// Neighbouring units that one task released without doing anything in between have one clock and are one run; above this many
// runs the newest takes in what comes (more order than there is), which is said once and counted.
extern uint32_t cspr_sem_max_runs; // smaller in tests

// From now on it has n units that carry nothing, whatever it was before; n < 0: it is no semaphore any more.
void cspr_sem_set(const void *sem, int64_t n);
// t (NULL: the running task; a thread without one gives and gets no order) releases k units / takes k. before: how many there
// were, for a semaphore that is not known yet. Calls come in the order of what they stand for, but that a release may come early.
void cspr_sem_release(const void *sem, int64_t before, int64_t k, cspr_task *t, uintptr_t by);
void cspr_sem_take(const void *sem, int64_t before, int64_t k, cspr_task *t);
bool cspr_sem_is_known(const void *sem);

// For whoever has taken the word of the semaphore: whether the units' clocks are all known to t; letting go of them.
bool cspr_sem_units_known(const struct cspr_sync *s, const cspr_task *t);
void cspr_sem_units_drop(struct cspr_sync *s);
uint64_t cspr_sem_merged(void); // units released into a full queue, for stats

#endif
