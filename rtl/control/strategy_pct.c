// strategy_pct.c - random priorities with a few points of change.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Point of change i of d-1 gives priority i, as in the paper: below all that tasks begin with. Tasks that give way go below
// these: the paper's programs do not wait in loops, which would never end while their task keeps its priority.
#include "control/strategy_state.h"

#include "support/alloc.h"

void cspr_strategy_pct_begin(void)
{
    cspr_strategy_state *s = &cspr_strategy;
    size_t n = s->params.depth - 1;
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
    t->priority = cspr_strategy_random_priority();
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
            cspr_strategy_task_of(&c[chosen])->priority = CSPR_PRIORITY_CHANGED + 1 + i;
            chosen = find_highest(c, n);
        }
    return chosen;
}
