// interleaving.h - a hash of what a run did in which order, equal for runs that differ in the order of independent operations.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Two operations depend on each other when one task executes both, or when both are on one object and one of them changes it.
// Runs that order all dependent ones alike cannot be told apart by the program (Mazurkiewicz: traces), so of many schedules
// it is the distinct ones of these that count. Each operation is hashed with the hashes of those it directly depends on: its
// task's last one, its object's last change, and for a change the readings since then. The run's hash is the sum over all of
// them, so it does not matter when they came. Objects need no name that is stable over schedules: what was done to one is.
//
// Called by the task that has the turn, with the numbers and keys of strategy.h; constant time each.
#ifndef CSP_RTL_INTERLEAVING_H
#define CSP_RTL_INTERLEAVING_H

#include <stdbool.h>
#include <stdint.h>

void cspr_interleaving_begin(void);
// What the creator has done so far comes before all that the task does. creator: 0 for main.
void cspr_interleaving_created(uint32_t task, uint64_t key, uint32_t creator);
// The task executes op. object 0: none, so only its own operations depend on it.
void cspr_interleaving_executed(uint32_t task, uint8_t op, uint32_t object, bool is_write);
// Something else was decided for the task: which case, which waiter.
void cspr_interleaving_decided(uint32_t task, uint64_t value);
// The memory of an object was freed: the number may come back as another one's.
void cspr_interleaving_forget(uint32_t object);

uint64_t cspr_interleaving_hash(void); // of the run so far; 0: nothing was executed

#endif
