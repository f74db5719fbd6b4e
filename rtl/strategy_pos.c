// strategy_pos.c - a random priority per operation, drawn again for those that race with the one executed.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Why drawing again: with priorities kept, an operation that has lost once against many has a low one, and would lose against
// the next that races with it, too. Drawn again, each order of two racing operations is met by an even chance.
#include "strategy_state.h"

static bool race(const cspr_candidate *a, const cspr_candidate *b)
{
    return a->object && a->object == b->object && (a->is_write || b->is_write);
}

static uint64_t priority_of(const cspr_candidate *c)
{
    cspr_strategy_task *t = cspr_strategy_task_of(c);
    if (!t->has_event || t->points != c->points) {
        t->has_event = true;
        t->points = c->points;
        t->priority = csp_random_next(&cspr_strategy.random);
    }
    return t->priority;
}

// A task that gives way loses this time; so the loop that waits ends as soon as the others have come that far.
uint32_t cspr_strategy_pos_choose(const cspr_candidate *c, uint32_t n, int32_t current, bool gives_way)
{
    uint32_t chosen = 0;
    uint64_t best = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint64_t priority = priority_of(&c[i]);
        if ((int32_t)i == current && gives_way)
            priority = 0;
        if (i == 0 || priority > best) {
            best = priority;
            chosen = i;
        }
    }
    return chosen;
}

void cspr_strategy_pos_executed(const cspr_candidate *c, uint32_t n, uint32_t chosen)
{
    for (uint32_t i = 0; i < n; i++)
        if (i == chosen || race(&c[i], &c[chosen]))
            cspr_strategy_task_of(&c[i])->has_event = false;
}
