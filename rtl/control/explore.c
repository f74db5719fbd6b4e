// explore.c - csp_explore: one schedule after the other in this process.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Between two schedules the main coroutine is the only task: the others have ended, or are dropped, which means that they are never let
// on again. Numbers of tasks and objects, counts and the clock begin anew, so that a schedule is a function of its seed and not of those
// before it. The detector goes on: what a schedule's tasks did comes before the next one (`boundary`).
#include "control/explore.h"

#include "base/pct_bound.h"
#include "control/control_state.h"
#include "control/profile.h"
#include "control/strategy_state.h"
#include "deadlock/deadlock.h"
#include "leak/leak.h"
#include "report/report.h"
#include "support/print.h"
#include "task/task.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

extern char csp_explores __attribute__((weak));

enum { DEFAULT_COUNT = 1000 };

// --- sets of numbers ------------------------------------------------------------------------------------------------------------------------

typedef struct set {
    uint64_t *keys; // open addressing, at most half full; 0: free
    size_t n, cap;
} set;

static uint64_t *place_of(const set *s, uint64_t key)
{
    size_t i = (key * 0x9e3779b97f4a7c15u) >> 20 & (s->cap - 1);
    while (s->keys[i] && s->keys[i] != key)
        i = (i + 1) & (s->cap - 1);
    return &s->keys[i];
}

static void grow(set *s)
{
    set bigger = {cspr_map((s->cap ? 2 * s->cap : 1024) * sizeof(uint64_t)), s->n, s->cap ? 2 * s->cap : 1024};
    for (size_t i = 0; i < s->cap; i++)
        if (s->keys[i])
            *place_of(&bigger, s->keys[i]) = s->keys[i];
    if (s->cap)
        cspr_unmap(s->keys, s->cap * sizeof(uint64_t));
    *s = bigger;
}

// False: it was there.
static bool insert(set *s, uint64_t key)
{
    if (2 * s->n >= s->cap)
        grow(s);
    uint64_t *place = place_of(s, key ? key : 1);
    if (*place)
        return false;
    *place = key ? key : 1;
    s->n++;
    return true;
}

static bool contains(const set *s, uint64_t key)
{
    return s->cap && *place_of(s, key ? key : 1);
}

static void empty(set *s)
{
    if (s->cap)
        cspr_unmap(s->keys, s->cap * sizeof(uint64_t));
    *s = (set){0};
}

// --- findings --------------------------------------------------------------------------------------------------------------------------------

static struct {
    bool on;
    // --- of this exploration
    const char *strategy;
    uint64_t seed;
    uint64_t findings;
    bool failed;       // the present schedule; atomic
    set seen;          // interleavings
    unsigned boundary; // its address: what a schedule's tasks released
} it;
static set reported, races; // for the process: under the report lock

bool cspr_explores(void)
{
    return &csp_explores != NULL;
}

static void found(void)
{
    __atomic_store_n(&it.failed, true, __ATOMIC_RELAXED); // relaxed: read when all are at rest
}

bool cspr_explore_is_new(uint64_t key, bool is_mild)
{
    if (!it.on)
        return true;
    if (!is_mild)
        found();
    bool is_new = insert(&reported, key);
    if (is_new && !is_mild) {
        it.findings++;
        cspr_note("csp_explore: strategy %s, seed %lu:", it.strategy, (unsigned long)it.seed);
    }
    return is_new;
}

void cspr_explore_note(uint64_t key)
{
    if (it.on)
        insert(&races, key);
}

void cspr_explore_again(uint64_t key)
{
    if (it.on && contains(&races, key))
        found();
}

void cspr_explore_last_words(void)
{
    if (it.on)
        cspr_note("csp_explore: that was strategy %s, seed %lu", it.strategy, (unsigned long)it.seed);
}

// --- between two schedules -----------------------------------------------------------------------------------------------------------------

void cspr_explore_task_ends(cspr_task *t)
{
    if (CSPR_UNLIKELY(it.on))
        cspr_release_merge(&it.boundary, t);
}

static void drop(const csp_co_view *co, void *me)
{
    cspr_task *t = co->task;
    cspr_control *c = t ? t->control : NULL;
    if (!c || c == me || c->dropped)
        return;
    if (c->waits_for || c->deadline != INT64_MAX)
        cspr_control_unwait(c);
    cspr_control_cannot(c);
    c->dropped = true;
    cspr_release_merge(&it.boundary, t);
}

// Those who are left, when the function has returned.
static void end_of_schedule(size_t alive_before)
{
    const csp_runtime_view *runtime = cspi_runtime_view;
    if (runtime->count() <= alive_before && cspr_control_it.n <= 1 && runtime->first_timer() == INT64_MAX)
        return;
    cspr_control_rest((int64_t)cspr_flags.leak_grace_ms * 1000000);
    if (runtime->count() > alive_before && cspr_flags.report_bugs && cspr_flags.detect_leaks) {
        csp_leak_query q = {.print = true, .reachable_too = true};
        cspr_enter();
        cspr_deadlock_check();
        cspr_leave();
        cspr_leak_check_now(&q, NULL, NULL);
    }
    cspr_enter();
    runtime->each(drop, cspr_control_me());
    cspr_leave();
}

bool cspr_explore_has_dropped(const cspr_task *t)
{
    return t && t->control && t->control->dropped;
}

// Reports show a library function's frame by this name (report_text.c).
CSPR_NOINLINE static void cspr_intercept_csp_explore(csp_exploration *e)
{
    e->fn(e->arg);
    __asm__ volatile(""); // no tail call
}

static void run_once(csp_exploration *e, cspr_strategy_params *params)
{
    size_t alive = cspi_runtime_view->count();
    it.seed = params->seed;
    it.failed = false;
    cspr_enter();
    cspr_flags.seed = params->seed; // the program's random numbers
    cspr_control_renew(params);
    it.strategy = cspr_strategy_name(cspr_strategy_used());
    cspr_acquire(&it.boundary, cspr_task_current());
    cspr_leave();
    cspr_intercept_csp_explore(e);
    end_of_schedule(alive);
    cspr_control_counts n = cspr_control_count();
    e->tasks = n.tasks > e->tasks ? n.tasks : e->tasks;
    e->points = n.points > e->points ? n.points : e->points;
}

// --- the exploration -------------------------------------------------------------------------------------------------------------------------

static int64_t real_now(void)
{
    struct timespec t;
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

// Round robin: how many operations there are, and whose. What pct and urw go by.
static void measure(csp_exploration *e, cspr_strategy_params *params)
{
    cspr_strategy_params first = {.kind = CSPR_STRATEGY_RR};
    cspr_profile_clear();
    run_once(e, &first);
    e->findings = it.findings;
    for (size_t i = 1; i < cspr_strategy.n_tasks; i++) {
        const cspr_strategy_task *t = &cspr_strategy.tasks[i];
        if (t->known)
            cspr_profile_add(t->key, t->parent, t->executed);
    }
    params->length = cspr_control_count().points;
}

static void note_result(csp_exploration *e, uint64_t *of_pct, unsigned depth)
{
    e->schedules++;
    e->interleavings += insert(&it.seen, cspr_interleaving_hash());
    *of_pct += cspr_strategy_used() == CSPR_STRATEGY_PCT && cspr_strategy_depth() >= depth;
    if (it.failed && !e->failing++)
        e->first_seed = it.seed;
}

bool cspr_explore_wanted(void)
{
    if (!cspi_runtime_view)
        cspr_controlled = cspi_controlled = true;
    return true;
}

void cspr_explore(csp_exploration *e)
{
    cspr_strategy_params params = {.seed = e->seed, .depth = e->depth ? e->depth : 3};
    uint64_t own_seed = cspr_flags.seed, of_pct = 0,
             count = e->count     ? e->count
                     : e->time_ns ? UINT64_MAX
                                  : DEFAULT_COUNT;
    int64_t until = e->time_ns ? real_now() + e->time_ns : INT64_MAX;
    const char *strategy = e->strategy ? e->strategy : "portfolio";
    bool is_given = *cspr_flags.schedule && strcmp(cspr_flags.schedule, "replay") != 0;
    if (is_given || *cspr_flags.replay) { // csp test explores, or replays
        strategy = is_given ? cspr_flags.schedule : "portfolio";
        params.seed = own_seed;
        count = 1;
    }
    if (!cspr_strategy_parse(strategy, &params.kind))
        cspr_die("csp_explore: there is no strategy '%s'", strategy);
    it.on = true;
    it.findings = 0;
    measure(e, &params);
    for (uint64_t i = 0; i < count && real_now() < until; i++, params.seed++) {
        run_once(e, &params);
        note_result(e, &of_pct, params.depth);
    }
    e->findings = it.findings;
    e->bound = of_pct ? csp_pct_bound(e->tasks, e->points, params.depth, of_pct) : 0;
    empty(&it.seen);
    it.on = false;
    cspr_flags.seed = own_seed;
}
