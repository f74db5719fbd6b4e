// schedule_follow.c - a record that is followed: who goes on next by it, and the first step that is not as recorded.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A recorder (control.h): called by whoever has the turn, one at a time.
#include "control/schedule_follow.h"

#include "control/control_state.h"
#include "control/schedule_file.h"
#include "report/report.h"
#include "support/modules.h"
#include "support/print.h"

#include <string.h>

static struct {
    cspr_follow_mode mode;
    bool compares; // does not decide
    const cspr_schedule *record;
    size_t at; // the step that comes next
    uint64_t decisions, prefix;
    uint64_t diverged_at;
    uint32_t last; // who executed the last operation, 0: nobody yet
    uint64_t last_points;
} it;

void cspr_follow_begin(const cspr_schedule *schedule, uint64_t prefix, bool compare_only)
{
    it.mode = compare_only ? CSPR_FOLLOW_COMPARE : CSPR_FOLLOW_STEPS;
    it.record = schedule;
    it.prefix = prefix;
    it.at = 0;
    it.decisions = it.diverged_at = 0;
    it.last = 0;
    it.last_points = 0;
}

uint64_t cspr_follow_diverged_at(void)
{
    return it.diverged_at;
}

// The first ones tell enough: they were there in the same order.
uint32_t cspr_follow_hash(const cspr_candidate *c, uint32_t n)
{
    uint64_t hash = n;
    for (uint32_t i = 0; i < n && i < 16; i++) {
        hash = (hash ^ c[i].task) * 0x9e3779b97f4a7c15u;
        hash = (hash ^ (hash >> 29) ^ ((uint64_t)c[i].op << 32 | c[i].object)) * 0xbf58476d1ce4e5b9u;
    }
    return (uint32_t)(hash >> 32);
}

// --- divergence --------------------------------------------------------------------------------------------------------------------------

// " (worker q.c:41:3)" of a place in the program.
static void add_place(cspr_report *r, uintptr_t pc)
{
    cspr_place places[16];
    if (!pc)
        return;
    cspr_symbolize(pc, places, 16);
    cspr_text_add(&r->text, " (");
    if (places[0].function)
        cspr_text_add(&r->text, "%s ", places[0].function);
    cspr_report_place(r, &places[0]);
    cspr_text_add(&r->text, ")");
}

typedef struct met {
    const cspr_step *expected; // NULL: the end
    const cspr_candidate *got; // NULL: see what
    uintptr_t got_pc;
    const char *what;
    uint32_t n;
} met;

static void add_expected(cspr_report *r, const cspr_step *s)
{
    if (!s)
        cspr_text_add(&r->text, "the end of the record");
    else if (s->kind == CSPR_STEP_CLOCK)
        cspr_text_add(&r->text, "a timer that fires early, with %u that could go on", s->n);
    else if (s->kind == CSPR_STEP_NUMBER)
        cspr_text_add(&r->text, "a number below %u", s->n);
    else {
        cspr_text_add(&r->text, "T%u %s of object %u after %lu operations", s->task, cspr_op_name(s->op), s->object,
                      s->points);
        add_place(r, cspr_schedule_place(s));
        if (s->n > 1)
            cspr_text_add(&r->text, " with %u that could go on", s->n);
    }
}

static void say_divergence_locked(void *arg)
{
    const met *m = arg;
    cspr_report r = {.text = {0}};
    cspr_text_add(&r.text, "CspThreadSanitizer: %s at step %lu: expected ",
                  it.mode == CSPR_FOLLOW_COMPARE ? "not deterministic, two runs of the seed differ" : "diverged",
                  it.diverged_at);
    add_expected(&r, m->expected);
    cspr_text_add(&r.text, ", got ");
    if (m->got) {
        cspr_text_add(&r.text, "T%u %s of object %u after %lu operations", m->got->task, cspr_op_name(m->got->op),
                      m->got->object, m->got->points);
        add_place(&r, m->got_pc);
        if (m->n > 1)
            cspr_text_add(&r.text, " with %u that could go on", m->n);
    } else {
        cspr_text_add(&r.text, "%s", m->what);
    }
    cspr_text_add(&r.text, "\n");
    cspr_print_err(r.text.data, r.text.len);
    cspr_text_fini(&r.text);
}

static void diverge(met m)
{
    it.diverged_at = it.at + 1;
    m.expected = it.at < it.record->n_steps ? &it.record->steps[it.at] : NULL;
    cspr_enter();
    cspr_report_lock();
    cspr_call_on_own_stack(say_divergence_locked, &m);
    cspr_report_unlock();
    cspr_leave();
    it.mode = it.mode == CSPR_FOLLOW_COMPARE ? CSPR_FOLLOW_OFF : CSPR_FOLLOW_GO_ON;
}

// --- who goes on by the rule -----------------------------------------------------------------------------------------------------------------

// Who runs; when it cannot or spins the next one by number, round and round.
static int go_on(const cspr_candidate *c, uint32_t n)
{
    const cspr_control *last = cspr_control_it.last;
    bool spins = last && last->gives_way;
    int current = -1, above = -1, lowest = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (c[i].task == it.last)
            current = (int)i;
        else if (c[i].task > it.last && (above < 0 || c[i].task < c[above].task))
            above = (int)i;
        if (c[i].task < c[lowest].task)
            lowest = (int)i;
    }
    if (current >= 0 && !spins)
        return current;
    return spins && above >= 0 ? above : lowest;
}

static cspr_step *find_switch(cspr_step_kind a, cspr_step_kind b)
{
    for (size_t i = 0; i < it.record->n_steps; i++) {
        cspr_step *s = &it.record->steps[i];
        if (!s->used && s->task == it.last && s->points == it.last_points && (s->kind == a || s->kind == b))
            return s;
    }
    return NULL;
}

static int follow_switch(const cspr_candidate *c, uint32_t n, bool may_fire)
{
    cspr_step *s = find_switch(CSPR_STEP_SWITCH, CSPR_STEP_SWITCH_CLOCK);
    if (s && s->kind == CSPR_STEP_SWITCH_CLOCK && may_fire) {
        s->used = true;
        return CSPR_FOLLOW_CLOCK;
    }
    for (uint32_t i = 0; s && s->kind == CSPR_STEP_SWITCH && i < n; i++)
        if (c[i].task == s->value) {
            s->used = true;
            return (int)i;
        }
    return go_on(c, n);
}

// --- step by step ------------------------------------------------------------------------------------------------------------------------------

static int follow_step(const cspr_candidate *c, uint32_t n, bool may_fire)
{
    const cspr_step *s = &it.record->steps[it.at];
    int i = -1;
    if (s->kind == CSPR_STEP_EXECUTED)
        for (i = (int)n - 1; i >= 0 && c[i].task != s->task;)
            i--;
    bool known = s->kind == CSPR_STEP_EXECUTED ? i >= 0 : s->kind == CSPR_STEP_CLOCK && may_fire;
    if (!known) {
        int other = go_on(c, n);
        diverge((met){.got = &c[other], .got_pc = cspr_control_it.owners[other]->pc, .n = n});
        return other;
    }
    return s->kind == CSPR_STEP_CLOCK ? CSPR_FOLLOW_CLOCK : i;
}

int cspr_follow(const cspr_candidate *c, uint32_t n, bool may_fire)
{
    if (it.mode == CSPR_FOLLOW_OFF || it.mode == CSPR_FOLLOW_COMPARE)
        return CSPR_FOLLOW_NONE;
    if (it.record->is_switches)
        return follow_switch(c, n, may_fire);
    if (it.prefix && it.decisions >= it.prefix) {
        it.mode = CSPR_FOLLOW_OFF;
        return CSPR_FOLLOW_NONE;
    }
    if (it.mode == CSPR_FOLLOW_STEPS && it.at == it.record->n_steps)
        it.mode = CSPR_FOLLOW_GO_ON; // the recorded process was killed here
    return it.mode == CSPR_FOLLOW_STEPS ? follow_step(c, n, may_fire) : go_on(c, n);
}

// What the others would do next is compared when they do it: there it can be named.
static bool is_as_recorded(const cspr_step *s, const cspr_candidate *c, uint32_t n, int chosen)
{
    if (s->n != n)
        return false;
    if (chosen < 0)
        return s->kind == CSPR_STEP_CLOCK;
    const cspr_candidate *one = &c[chosen];
    return s->kind == CSPR_STEP_EXECUTED && s->task == one->task && s->points == one->points && s->op == one->op &&
           s->object == one->object;
}

static bool is_followed(void)
{
    return (it.mode == CSPR_FOLLOW_STEPS || it.mode == CSPR_FOLLOW_COMPARE) && !it.record->is_switches;
}

void cspr_follow_executed(const cspr_candidate *c, uint32_t n, int chosen, uintptr_t pc)
{
    if (is_followed()) {
        if (it.at == it.record->n_steps || !is_as_recorded(&it.record->steps[it.at], c, n, chosen))
            diverge((met){
                .got = chosen >= 0 ? &c[chosen] : NULL, .got_pc = pc, .what = "a timer that fires early", .n = n});
        else
            it.at++;
    }
    it.decisions += n > 1;
    if (chosen >= 0) {
        it.last = c[chosen].task;
        it.last_points = c[chosen].points + 1;
    }
}

bool cspr_follow_number(uint32_t n, uint32_t *number)
{
    if (it.mode == CSPR_FOLLOW_OFF || it.mode == CSPR_FOLLOW_COMPARE)
        return false;
    *number = 0;
    if (it.record->is_switches) {
        cspr_step *s = find_switch(CSPR_STEP_SET_NUMBER, CSPR_STEP_SET_NUMBER);
        if (s) {
            s->used = true;
            *number = s->value < n ? s->value : n - 1;
        }
        return true;
    }
    if (it.prefix && it.decisions >= it.prefix) {
        it.mode = CSPR_FOLLOW_OFF;
        return false;
    }
    const cspr_step *s = it.at < it.record->n_steps ? &it.record->steps[it.at] : NULL;
    if (it.mode == CSPR_FOLLOW_STEPS && s && s->kind == CSPR_STEP_NUMBER && s->n == n)
        *number = s->value;
    return true;
}

void cspr_follow_chose(uint32_t n, uint32_t number)
{
    const cspr_step *s = is_followed() && it.at < it.record->n_steps ? &it.record->steps[it.at] : NULL;
    it.decisions++;
    if (!is_followed())
        return;
    if (s && s->kind == CSPR_STEP_NUMBER && s->n == n && s->value == number)
        it.at++;
    else if (s || it.mode == CSPR_FOLLOW_COMPARE)
        diverge((met){.what = "another number"});
    else
        it.mode = CSPR_FOLLOW_GO_ON;
}
