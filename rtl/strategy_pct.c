// strategy_pct.c - random priorities with a few points of change.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Three ranges of priorities, highest first: those that tasks begin with, random; those of the points of change, 1 to d-1 above
// CHANGED, as the paper has them; those of tasks that gave way, each below all there were. The paper's programs do not spin:
// there a task that waits in a loop would keep its priority, and the loop would never end.
#include "strategy_state.h"

#include "alloc.h"

#define BEGUN ((uint64_t)1 << 63)
#define CHANGED ((uint64_t)1 << 62)

void cspr_strategy_pct_begin(void)
{
    cspr_strategy_state *s = &cspr_strategy;
    size_t n = s->params.depth - 1;
    s->lowest = CHANGED;
    if (n > s->changes_capacity) {
        cspr_free(s->changes, s->changes_capacity * sizeof *s->changes);
        s->changes = cspr_alloc(n * sizeof *s->changes);
        s->changes_capacity = n;
    }
    for (size_t i = 0; i < n; i++)
        s->changes[i] = csp_random_below(&s->random, s->params.length); // of the operations numbered from 0
}

void cspr_strategy_pct_created(cspr_strategy_task *t)
{
    t->priority = BEGUN | csp_random_next(&cspr_strategy.random) >> 1;
}

static uint32_t find_highest(const cspr_candidate *c, uint32_t n)
{
    uint32_t highest = 0;
    uint64_t best = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint64_t priority = cspr_strategy_task_of(&c[i])->priority;
        if (priority > best) {
            best = priority;
            highest = i;
        }
    }
    return highest;
}

uint32_t cspr_strategy_pct_choose(const cspr_candidate *c, uint32_t n, int32_t current, bool gives_way)
{
    cspr_strategy_state *s = &cspr_strategy;
    if (current >= 0 && gives_way)
        cspr_strategy_task_of(&c[current])->priority = --s->lowest;
    uint32_t chosen = find_highest(c, n);
    for (uint32_t i = 0; i + 1 < s->params.depth; i++)
        if (s->changes[i] == s->step) {
            cspr_strategy_task_of(&c[chosen])->priority = CHANGED + 1 + i;
            chosen = find_highest(c, n);
        }
    // The clock went on once; how long the next timer is held up is another question.
    if (c[chosen].task == CSPR_CLOCK_TASK)
        cspr_strategy_pct_created(cspr_strategy_task_of(&c[chosen]));
    return chosen;
}
