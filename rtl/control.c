// control.c - controlled schedules: what is the same for all of them: whether there is one, its clock, names of operations.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "control.h"

#include <sched.h>
#include <string.h>

bool cspr_controlled;

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

void cspr_control_init(void)
{
    cspr_controlled = *cspr_flags.schedule != '\0';
}

// --- nobody is let on yet ------------------------------------------------------------------------------------------------------

static int64_t clock_ns = CSPR_CONTROL_START_NS;
static uint64_t drawn;
static const char *why_not = "";
static bool begun;

void cspr_control_point(int op, const void *obj)
{
    (void)op, (void)obj;
}

void cspr_control_point_idle(int op, const void *obj)
{
    (void)op, (void)obj;
}

bool cspr_control_block(int op, const void *obj, int64_t deadline_ns)
{
    (void)op, (void)obj;
    sched_yield();
    return cspr_control_now() < deadline_ns;
}

void cspr_control_wake(const void *obj, unsigned n)
{
    (void)obj, (void)n;
}

bool cspr_control_waits(const void *obj)
{
    (void)obj;
    return false;
}

uint64_t cspr_control_random(void)
{
    uint64_t x =
        cspr_flags.seed + __atomic_add_fetch(&drawn, 0x9e3779b97f4a7c15u, __ATOMIC_RELAXED); // relaxed: a count
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

uint32_t cspr_control_choose(uint32_t n)
{
    return cspr_controlled ? (uint32_t)(cspr_control_random() % n) : 0;
}

void cspr_control_hold(void)
{
}

void cspr_control_unhold(void)
{
}

int64_t cspr_control_time(void)
{
    return __atomic_load_n(&clock_ns, __ATOMIC_RELAXED); // relaxed: whoever has the turn wrote it
}

int64_t cspr_control_now(void)
{
    return __atomic_add_fetch(&clock_ns, 1000, __ATOMIC_RELAXED); // relaxed: as above
}

void cspr_control_begin(void)
{
    begun = cspr_controlled;
}

void cspr_control_thread_new(cspr_task *t)
{
    (void)t;
}

void cspr_control_thread_failed(cspr_task *t)
{
    (void)t;
}

void cspr_control_thread_begins(void)
{
}

void cspr_control_thread_ends(void)
{
}

bool cspr_control_has_begun(void)
{
    return begun;
}

uint32_t cspr_control_number(const cspr_task *t)
{
    (void)t;
    return 0;
}

uint64_t cspr_control_key(const cspr_task *t)
{
    (void)t;
    return 0;
}

uint32_t cspr_control_object(const void *obj)
{
    (void)obj;
    return 0;
}

void cspr_control_not_replayable(const char *why)
{
    if (!*why_not)
        why_not = why;
}

const char *cspr_control_why_not(void)
{
    return why_not;
}

void cspr_control_end(void)
{
    begun = false;
}
