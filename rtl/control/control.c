// control.c - controlled schedules: their beginning and end, numbers that the schedule chooses, names of operations.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "base/seed.h"
#include "control/control_state.h"
#include "control/control_world.h"
#include "control/explore.h"
#include "control/profile.h"
#include "control/schedule_file.h"
#include "control/schedule_server.h"
#include "task/task.h"

#include <string.h>

bool cspr_controlled, cspr_control_everywhere;
static const char *why_not; // atomic: what cannot be replayed

// --- operations -------------------------------------------------------------------------------------------------------------

static const struct {
    const char *text;
    bool changes;
} ops[] = {
#define OP_ROW(name, text, changes) {text, changes},
    CSP_OP_TABLE(OP_ROW)
#undef OP_ROW
};

const char *cspr_op_name(int op)
{
    return op >= 0 && op < CSP_OPS ? ops[op].text : "?";
}

bool cspr_op_changes(int op)
{
    return op < 0 || op >= CSP_OPS || ops[op].changes;
}

int cspr_op_of_name(const char *name, size_t len)
{
    for (int op = 0; op < CSP_OPS; op++)
        if (strlen(ops[op].text) == len && !memcmp(ops[op].text, name, len))
            return op;
    return -1;
}

// --- start and end ------------------------------------------------------------------------------------------------------------

cspr_control_state cspr_control_it = {.clock_ns = CSPR_CONTROL_START_NS};

void cspr_control_init(void)
{
    cspr_controlled = cspi_controlled =
        cspr_explores() || *cspr_flags.schedule != '\0' || *cspr_flags.replay || cspr_schedule_server_on();
}

static void begin_choosing(const cspr_strategy_params *params)
{
    cspr_strategy_begin(params);
    cspr_interleaving_begin();
    // One in none, 256, 64, 16, 4 points, for all of the run.
    uint32_t rate = cspr_strategy_pick(5);
    cspr_control_it.early_in = rate ? 1024 >> 2 * rate : 0;
}

static void begin_strategy(void)
{
    cspr_strategy_params params = {
        .seed = cspr_flags.seed,
        .depth = cspr_flags.schedule_depth > 0 ? (uint32_t)cspr_flags.schedule_depth : 0,
        .length = cspr_flags.schedule_length > 0 ? (uint64_t)cspr_flags.schedule_length : 0,
    };
    const char *name = !strcmp(cspr_flags.schedule, "replay") ? "rr" // who goes on is in the record
                       : *cspr_flags.schedule                 ? cspr_flags.schedule
                       : cspr_explores()                      ? "rr"      // what comes before and after
                                                              : "random"; // a server that was asked for no strategy
    if (!cspr_strategy_parse(name, &params.kind))
        cspr_die("schedule=%s: no such strategy", name);
    if (*cspr_flags.schedule_profile)
        cspr_profile_read(cspr_flags.schedule_profile);
    begin_choosing(&params);
}

// What is left of the schedule before is gone or dropped; the caller's task is its only one.
void cspr_control_renew(const cspr_strategy_params *params)
{
    cspr_control_state *s = &cspr_control_it;
    cspr_control *me = cspr_control_me();
    cspr_control_forget_objects();
    begin_choosing(params);
    s->points = s->decisions = 0;
    s->n_tasks = me->number = 1;
    s->last = me;
    me->points = me->drawn = 0;
    me->children = me->repeated = me->quiet = 0;
    me->op = CSP_OP_NONE;
    me->object = 0;
    cspr_strategy_task_created(1, me->key, 0);
    cspr_interleaving_created(1, me->key, 0);
    cspr_control_set_gives_way(me, false);
    cspr_control_tell(me);
    __atomic_store_n(&why_not, NULL, __ATOMIC_RELAXED); // relaxed: nobody else is there
    bool has_timers = cspi_runtime_view && cspi_runtime_view->first_timer() != INT64_MAX;
    if (!has_timers && cspr_control_first_deadline() == INT64_MAX)
        cspr_control_set_clock(CSPR_CONTROL_START_NS);
}

void cspr_control_begin(void)
{
    if (!cspr_controlled || cspr_control_it.begun || cspr_control_it.ended)
        return;
    cspr_task *t = cspr_task_current();
    if (!t)
        return;
    bool has_forked = cspr_world_has_forked;
    cspr_schedule_server_serve(); // what follows happens in each child
    cspr_world_has_forked = has_forked;
    cspr_enter();
    cspr_schedule_file_load();
    begin_strategy();
    cspr_schedule_file_begin();
    cspr_control_it.begun = true;
    if (!strcmp(cspr_flags.schedule_points, "all")) {
        cspr_control_everywhere = true;
        cspr_set_current(CSPR_CURRENT_NOBODY);
    } else if (strcmp(cspr_flags.schedule_points, "sync") != 0) {
        cspr_die("schedule_points=%s: sync or all is wanted", cspr_flags.schedule_points);
    }
    cspr_control *me = cspr_control_add(t, cspr_control_child_key(), 0);
    me->own_thread = me->own.has_turn = true;
    me->own.runs = me;
    cspr_control_here = &me->own;
    cspr_control_it.n_threads = 1;
    cspr_control_it.last = me;
    cspr_control_can(me);
    cspr_leave();
}

// A child has its own task alone. It goes on with the same numbers: what it does is a function of the seed, too.
void cspr_control_after_fork(void)
{
    cspr_control_state *s = &cspr_control_it;
    cspr_control *me = cspr_control_me();
    if (!s->begun || !me)
        return;
    while (s->n)
        cspr_control_cannot(s->owners[0]);
    cspr_control_forget_waiters();
    for (cspr_carrier *c = s->workers; c; c = c->next)
        c->away |= c != cspr_control_here; // its thread is not there
    s->resting = s->chosen = s->inbox = NULL;
    s->last = me;
    s->n_threads = me->own_thread;
    cspr_control_can(me);
}

bool cspr_control_has_begun(void)
{
    return cspr_control_it.begun;
}

void cspr_control_end(void)
{
    bool first = !cspr_control_it.ended;
    cspr_control_it.ended = true;
    if (first && cspr_control_it.begun && *cspr_flags.schedule_profile_out)
        cspr_profile_write(cspr_flags.schedule_profile_out);
}

// --- numbers --------------------------------------------------------------------------------------------------------------------

uint32_t cspr_control_number(const cspr_task *t)
{
    const cspr_control *c = t ? t->control : cspr_control_me();
    return c ? c->number : 0;
}

uint64_t cspr_control_key(const cspr_task *t)
{
    const cspr_control *c = t ? t->control : cspr_control_me();
    return c ? c->key : 0;
}

uint32_t cspr_control_choose(uint32_t n)
{
    cspr_control_state *s = &cspr_control_it;
    const cspr_recorder *r = cspr_control_recorder;
    if (!s->begun || n < 2)
        return 0;
    uint32_t number;
    if (!r || !r->follow_number(n, &number))
        number = cspr_strategy_pick(n);
    if (r)
        r->chose(n, number);
    s->decisions++;
    if (s->last)
        cspr_interleaving_decided(s->last->number, number);
    return number;
}

cspr_control_counts cspr_control_count(void)
{
    const cspr_control_state *s = &cspr_control_it;
    return (cspr_control_counts){s->points, s->decisions, s->n_tasks, s->clock_ns - CSPR_CONTROL_START_NS};
}

// Of the task, not of the run: what others draw, and when, does not change what it gets.
uint64_t cspr_control_random(void)
{
    static uint64_t unowned; // before the schedule begins, and threads outside of it
    cspr_control *me = cspr_control_me();
    uint64_t *drawn = me ? &me->drawn : &unowned;
    uint64_t n = __atomic_add_fetch(drawn, CSP_SEED_STEP, __ATOMIC_RELAXED); // relaxed: only distinct
    return csp_seed_mix(csp_seed_mix(cspr_flags.seed ^ (me ? me->key : 0)) + n);
}

// --- what cannot be replayed --------------------------------------------------------------------------------------------------

void cspr_control_not_replayable(const char *why)
{
    const char *none = NULL;
    __atomic_compare_exchange_n(&why_not, &none, why, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED); // carries the string
}

const char *cspr_control_why_not(void)
{
    const char *why = __atomic_load_n(&why_not, __ATOMIC_ACQUIRE); // the exchange
    return why ? why : "";
}
