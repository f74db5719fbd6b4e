// strategy.c - what the strategies have in common: names, the tasks, the random numbers; random walk, round robin, portfolio.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "control/strategy_state.h"

#include "control/profile.h"
#include "rtl.h"
#include "support/alloc.h"

#include <string.h>

enum { DEFAULT_DEPTH = 3, COMMON_DEPTH = 2, MAX_DEPTH = 100, GUESSED_LENGTH = 1000 };

cspr_strategy_state cspr_strategy;

static const char *const names[CSPR_STRATEGIES] = {"random", "pct", "pos", "urw", "rr", "portfolio"};

bool cspr_strategy_parse(const char *name, cspr_strategy_kind *out)
{
    for (unsigned i = 0; i < CSPR_STRATEGIES; i++)
        if (strcmp(name, names[i]) == 0) {
            *out = (cspr_strategy_kind)i;
            return true;
        }
    return false;
}

const char *cspr_strategy_name(cspr_strategy_kind kind)
{
    return names[kind];
}

// --- tasks ----------------------------------------------------------------------------------------------------------------

static void grow(size_t needed)
{
    cspr_strategy_state *s = &cspr_strategy;
    size_t capacity = s->capacity ? s->capacity : 64;
    while (capacity < needed)
        capacity *= 2;
    cspr_strategy_task *tasks = cspr_alloc(capacity * sizeof *tasks);
    if (s->n_tasks)
        memcpy(tasks, s->tasks, s->n_tasks * sizeof *tasks);
    cspr_free(s->tasks, s->capacity * sizeof *tasks);
    s->tasks = tasks;
    s->capacity = capacity;
}

static cspr_strategy_task *entry_of(uint32_t number)
{
    cspr_strategy_state *s = &cspr_strategy;
    if (number >= s->capacity)
        grow((size_t)number + 1);
    if (number >= s->n_tasks)
        s->n_tasks = (size_t)number + 1;
    return &s->tasks[number];
}

void cspr_strategy_task_created(uint32_t task, uint64_t key, uint32_t creator)
{
    entry_of(task > creator ? task : creator); // before pointers into the table are taken
    cspr_strategy_task *t = entry_of(task), *parent = creator ? entry_of(creator) : NULL;
    *t = (cspr_strategy_task){.known = true, .key = key, .parent = parent ? parent->key : 0};
    if (cspr_strategy.params.kind == CSPR_STRATEGY_PCT)
        cspr_strategy_pct_created(t);
    if (cspr_strategy.params.kind == CSPR_STRATEGY_URW)
        cspr_strategy_urw_created(t, parent);
}

cspr_strategy_task *cspr_strategy_task_of(const cspr_candidate *c)
{
    if (!entry_of(c->task)->known)
        cspr_strategy_task_created(c->task, c->key, 0);
    return entry_of(c->task);
}

// --- begin ------------------------------------------------------------------------------------------------------------------

// What the portfolio is for this seed, in sixteenths.
static void choose_member(cspr_strategy_params *p)
{
    static const struct {
        cspr_strategy_kind kind;
        uint64_t share;
    } members[] = {{CSPR_STRATEGY_PCT, 5},
                   {CSPR_STRATEGY_POS, 4},
                   {CSPR_STRATEGY_RANDOM, 3},
                   {CSPR_STRATEGY_URW, 3},
                   {CSPR_STRATEGY_RR, 1}};
    csp_random random = {~p->seed}; // not the numbers that the member itself will draw
    uint64_t at = csp_random_below(&random, 16);
    unsigned i = 0;
    for (; at >= members[i].share; i++)
        at -= members[i].share;
    p->kind = members[i].kind;
    // Most bugs take two orderings; runs made for three are no good promise for them (base/pct_bound.h).
    if (p->kind == CSPR_STRATEGY_PCT && p->depth > COMMON_DEPTH && csp_random_below(&random, 2) == 0)
        p->depth = COMMON_DEPTH;
}

void cspr_strategy_begin(const cspr_strategy_params *params)
{
    cspr_strategy_state *s = &cspr_strategy;
    if (s->n_tasks)
        memset(s->tasks, 0, s->n_tasks * sizeof *s->tasks);
    s->n_tasks = 0;
    s->params = *params;
    s->random = (csp_random){params->seed};
    s->step = s->in_a_row = 0;
    s->lowest = CSPR_PRIORITY_CHANGED;
    s->last = 0;
    if (!s->params.depth)
        s->params.depth = DEFAULT_DEPTH;
    if (s->params.depth > MAX_DEPTH)
        s->params.depth = MAX_DEPTH;
    if (!s->params.length)
        s->params.length = cspr_profile_length();
    if (!s->params.length)
        s->params.length = GUESSED_LENGTH;
    if (params->kind == CSPR_STRATEGY_PORTFOLIO)
        choose_member(&s->params);
    if (s->params.kind == CSPR_STRATEGY_PCT)
        cspr_strategy_pct_begin();
    if (s->params.kind == CSPR_STRATEGY_RR)
        s->quantum = 1ull << csp_random_below(&s->random, 8) | 1; // 1, 3, 5, 9, ... 129
}

cspr_strategy_kind cspr_strategy_used(void)
{
    return cspr_strategy.params.kind;
}

uint32_t cspr_strategy_depth(void)
{
    return cspr_strategy.params.depth;
}

uint32_t cspr_strategy_pick(uint32_t n)
{
    return n > 1 ? (uint32_t)csp_random_below(&cspr_strategy.random, n) : 0;
}

uint64_t cspr_strategy_random_priority(void)
{
    return CSPR_PRIORITY_RANDOM | csp_random_next(&cspr_strategy.random) >> 1;
}

// --- round robin -----------------------------------------------------------------------------------------------------------------

static uint32_t choose_next(const cspr_candidate *c, uint32_t n, int32_t current, bool gives_way)
{
    cspr_strategy_state *s = &cspr_strategy;
    if (current >= 0 && !gives_way && s->in_a_row < s->quantum)
        return (uint32_t)current;
    uint32_t after = n, first = 0; // of those after the last one the first, and the first of all
    for (uint32_t i = 0; i < n; i++) {
        if (c[i].task < c[first].task)
            first = i;
        if (c[i].task > s->last && (after == n || c[i].task < c[after].task))
            after = i;
    }
    return after < n ? after : first;
}

// --- choose -----------------------------------------------------------------------------------------------------------------------

// Whether the current task waits in a loop that nobody told of. Reading one thing over and over is that. Any other operations
// may be work; and work may be long, but not longer than all of the run was expected to be.
static bool waits_in_loop(const cspr_candidate *current)
{
    enum { READS = 16, ANY = 256 };
    cspr_strategy_state *s = &cspr_strategy;
    cspr_strategy_task *t = cspr_strategy_task_of(current);
    bool same = !current->is_write && current->object && t->op == current->op && t->object == current->object;
    if (same && t->readings >= READS) {
        t->readings = 0;
        return true;
    }
    return s->step > s->params.length && s->in_a_row >= ANY && s->in_a_row % ANY == 0;
}

static void note_executed(const cspr_candidate *c, uint32_t n)
{
    cspr_strategy_state *s = &cspr_strategy;
    cspr_strategy_task *t = cspr_strategy_task_of(c);
    bool same = !c->is_write && c->object && t->op == c->op && t->object == c->object;
    t->readings = same ? t->readings + 1 : 0;
    t->op = c->op;
    t->object = c->object;
    t->executed++;
    t->left--;
    s->in_a_row = s->last == c->task ? s->in_a_row + (n > 1) : 1;
    s->last = c->task;
    s->step++;
}

uint32_t cspr_strategy_choose(const cspr_candidate *c, uint32_t n, int32_t current, bool gives_way)
{
    cspr_strategy_state *s = &cspr_strategy;
    uint32_t chosen = 0;
    if (current >= 0 && n > 1 && waits_in_loop(&c[current]))
        gives_way = true;
    switch (s->params.kind) {
    case CSPR_STRATEGY_RANDOM:
        chosen = cspr_strategy_pick(n);
        break;
    case CSPR_STRATEGY_PCT:
        chosen = cspr_strategy_pct_choose(c, n, current, gives_way);
        break;
    case CSPR_STRATEGY_POS:
        chosen = cspr_strategy_pos_choose(c, n, current, gives_way);
        cspr_strategy_pos_executed(c, n, chosen);
        break;
    case CSPR_STRATEGY_URW:
        chosen = cspr_strategy_urw_choose(c, n);
        break;
    default:
        chosen = choose_next(c, n, current, gives_way);
    }
    note_executed(&c[chosen], n);
    return chosen;
}

void cspr_strategy_task_ended(uint32_t task)
{
    // Nothing is left of it; what it executed stays for the profile.
    if (task < cspr_strategy.n_tasks)
        cspr_strategy.tasks[task].left = 0;
}
