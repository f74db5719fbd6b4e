// strategy_pos.c - a random priority per operation, drawn again for those that race with the one executed.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Why drawing again: with priorities kept, an operation that has lost once against many has a low one, and would lose against
// the next that races with it, too. Drawn again, each order of two racing operations is met by an even chance.
#include "control/strategy_state.h"

static bool race(const cspr_candidate *a, const cspr_candidate *b)
{
    return a->object && a->object == b->object && (a->is_write || b->is_write);
}

static uint64_t priority_of(const cspr_candidate *c)
{
    cspr_strategy_state *s = &cspr_strategy;
    cspr_strategy_task *t = cspr_strategy_task_of(c);
    if (!t->has_event || t->points != c->points) {
        if (t->points != c->points || !t->executed)
            t->since = s->step;
        t->has_event = true;
        t->points = c->points;
        t->priority = cspr_strategy_random_priority();
    }
    return t->priority;
}

// A low priority loses against any loop that waits for its task, as each turn of the loop draws anew. No longer, then, than all
// of the run was expected to take.
static bool is_overdue(const cspr_candidate *c, uint32_t n)
{
    enum { LONG = 256, FOR_EACH = 16 };
    cspr_strategy_state *s = &cspr_strategy;
    return s->step > s->params.length && s->step - cspr_strategy_task_of(c)->since > LONG + FOR_EACH * (uint64_t)n;
}

// The operation of a task that gives way keeps losing against others, so several such tasks do not take turns for ever.
uint32_t cspr_strategy_pos_choose(const cspr_candidate *c, uint32_t n, int32_t current, bool gives_way)
{
    uint32_t chosen = 0;
    uint64_t best = 0;
    if (current >= 0 && gives_way) {
        priority_of(&c[current]);
        cspr_strategy_task_of(&c[current])->priority = --cspr_strategy.lowest;
    }
    for (uint32_t i = 0; i < n; i++) {
        uint64_t priority = priority_of(&c[i]);
        if (is_overdue(&c[i], n))
            return i;
        if (priority > best) {
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
