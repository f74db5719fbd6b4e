// strategy_state.h - what the strategies keep of each task. Used by strategy*.c only.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_RTL_STRATEGY_STATE_H
#define CSP_RTL_STRATEGY_STATE_H

#include "base/seed.h"
#include "control/strategy.h"

#include <stddef.h>

// Priorities, highest first: random ones; those of pct's points of change; those of tasks that gave way, each below all before.
#define CSPR_PRIORITY_RANDOM ((uint64_t)1 << 63)
#define CSPR_PRIORITY_CHANGED ((uint64_t)1 << 62)

typedef struct cspr_strategy_task {
    bool known;
    uint64_t key, parent; // parent: its creator's key, 0 for main
    uint64_t executed;
    // --- loops that wait
    uint32_t object; // of its last operation
    uint8_t op;
    uint32_t readings; // of that object, in that way, one right after the other
    // --- pct, pos
    uint64_t priority;
    // --- pos
    bool has_event; // priority is that of its operation after `points`
    uint64_t points;
    uint64_t since; // step at which that operation was first drawn for
    // --- urw
    int64_t left; // operations expected of it and of children that it has not created yet
} cspr_strategy_task;

typedef struct cspr_strategy_state {
    cspr_strategy_params params; // kind, depth, length in force
    csp_random random;
    uint64_t step; // operations executed
    // --- by task number
    cspr_strategy_task *tasks;
    size_t n_tasks, capacity;
    // --- who went on last, and for how long though others could
    uint32_t last;
    uint64_t in_a_row;
    uint64_t lowest; // pct, pos: the priority of who gave way last
    // --- pct: steps at which who goes on becomes the lowest
    uint64_t *changes;
    size_t changes_capacity;
    // --- rr
    uint64_t quantum;
} cspr_strategy_state;

extern cspr_strategy_state cspr_strategy;

// The entry of a task; it is made when nobody told of the task.
cspr_strategy_task *cspr_strategy_task_of(const cspr_candidate *c);

uint64_t cspr_strategy_random_priority(void);

void cspr_strategy_pct_begin(void);
void cspr_strategy_pct_created(cspr_strategy_task *t);
uint32_t cspr_strategy_pct_choose(const cspr_candidate *c, uint32_t n, int32_t current, bool gives_way);
void cspr_strategy_pos_executed(const cspr_candidate *c, uint32_t n, uint32_t chosen);
uint32_t cspr_strategy_pos_choose(const cspr_candidate *c, uint32_t n, int32_t current, bool gives_way);
void cspr_strategy_urw_created(cspr_strategy_task *t, cspr_strategy_task *creator);
uint32_t cspr_strategy_urw_choose(const cspr_candidate *c, uint32_t n);

#endif
