// control_stuck.c - the end of a controlled run in which no thread can ever go on, and there are no coroutines.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Coroutines that are all asleep are the runtime's to tell (rest.c); threads that wait for one another are told here, as a deadlock.
#include "control/control_libc.h"
#include "control/control_state.h"
#include "deadlock/deadlock.h"
#include "report/report.h"
#include "support/print.h"
#include "task/task.h"

#include <unistd.h>

enum { MOST = 64 };

typedef struct stuck {
    size_t n;
    const cspr_control *of[MOST]; // by number
} stuck;

static void add(const cspr_control *c, void *arg)
{
    stuck *s = arg;
    size_t at = s->n;
    if (s->n == MOST)
        return;
    for (; at > 0 && s->of[at - 1]->number > c->number; at--)
        s->of[at] = s->of[at - 1];
    s->of[at] = c;
    s->n++;
}

// Where a thread stands: it keeps its frame records while it waits. The first one is the interceptor's, called from the program.
static void view_waiting(cspr_view *v, const cspr_task *t)
{
    uintptr_t frames[CSPR_MAX_FRAMES];
    size_t n = 0;
    csp_frame **live = __atomic_load_n(&t->live_top, __ATOMIC_RELAXED); // relaxed: its thread stands still
    for (const csp_frame *f = live ? *live : t->top; f && n < CSPR_MAX_FRAMES; f = f->prev)
        frames[n++] = (uintptr_t)f->ret;
    if (n)
        frames[0]--; // as a place in the call, as the others will be taken
    cspr_view_frames(v, frames, n, false);
}

static const char *name_object(int op)
{
    switch (op) {
    case CSP_OP_LOCK:
        return "mutex";
    case CSP_OP_RLOCK:
        return "reading mutex";
    case CSP_OP_COND_WAIT:
        return "condition variable";
    case CSP_OP_BARRIER:
        return "barrier";
    case CSP_OP_ACQUIRE:
        return "semaphore";
    case CSP_OP_ONCE:
        return "once";
    default:
        return NULL;
    }
}

static void add_name_of(cspr_report *r, const void *obj)
{
    cspr_object_name g;
    if (cspr_symbolize_data((uintptr_t)obj, &g) && g.name)
        cspr_text_add(&r->text, " '%s'", g.name);
}

static void add_holder(cspr_report *r, const stuck *s, const void *lock)
{
    static cspr_view v; // under the report lock
    for (size_t i = 0; i < s->n; i++) {
        cspr_held held[CSPR_MAX_HELD];
        for (size_t k = cspr_task_held(s->of[i]->task, held, CSPR_MAX_HELD); k-- > 0;) {
            if (held[k].lock != lock)
                continue;
            cspr_text_add(&r->text, "%s  ", r->green);
            cspr_report_who(r, cspr_task_who(s->of[i]->task), true);
            cspr_text_add(&r->text, " locked it at:%s\n", r->plain);
            cspr_view_stack(&v, held[k].stack, 0xff);
            cspr_report_stack(r, &v, false);
        }
    }
}

// "mutex M0 'm'", "the end of thread T1".
static void add_thing(cspr_report *r, const cspr_control *c)
{
    const char *name = name_object(c->op);
    if (c->op == CSP_OP_THREAD_JOIN) {
        cspr_text_add(&r->text, "the end of ");
        cspr_report_who(r, cspr_task_who(c->waits_for), false);
    } else if (c->op == CSP_OP_LOCK || c->op == CSP_OP_RLOCK) {
        cspr_text_add(&r->text, "%s ", name);
        cspr_report_lock_name(r, c->waits_for);
    } else {
        cspr_text_add(&r->text, "%s", name ? name : "what nobody will do");
        if (name)
            add_name_of(r, c->waits_for);
    }
}

static void add_waiting(cspr_report *r, const stuck *s, const cspr_control *c)
{
    static cspr_view v; // under the report lock
    cspr_text_add(&r->text, "%s  ", r->bold);
    cspr_report_who(r, cspr_task_who(c->task), true);
    cspr_text_add(&r->text, " waits for ");
    add_thing(r, c);
    cspr_text_add(&r->text, ", at:%s\n", r->plain);
    view_waiting(&v, c->task);
    cspr_report_stack(r, &v, true);
    if (c->op == CSP_OP_LOCK || c->op == CSP_OP_RLOCK)
        add_holder(r, s, c->waits_for);
}

// One line each, for the runtime's "all asleep": those who wait for what is not the runtime's.
void cspr_control_stuck_tell(cspr_report *r)
{
    static cspr_view v; // under the report lock
    stuck s = {0};
    cspr_control_each_waiter(add, &s);
    for (size_t i = 0; i < s.n; i++) {
        cspr_text_add(&r->text, "  ");
        cspr_report_who(r, cspr_task_who(s.of[i]->task), false);
        cspr_text_add(&r->text, " waits");
        view_waiting(&v, s.of[i]->task);
        for (size_t k = 0; k < v.n; k++)
            if (!v.places[k].ours) {
                cspr_text_add(&r->text, " at ");
                cspr_report_place(r, &v.places[k]);
                break;
            }
        cspr_text_add(&r->text, " for ");
        add_thing(r, s.of[i]);
        const cspr_shadow_lock *l = cspr_shadow_lock_find(s.of[i]->waits_for);
        if (l && l->holder) {
            cspr_text_add(&r->text, ", which ");
            cspr_report_who(r, l->holder, false);
            cspr_text_add(&r->text, " locked");
        }
        cspr_text_add(&r->text, "\n");
    }
}

static bool is_suppressed(const stuck *s)
{
    static cspr_view v; // under the report lock
    for (size_t i = 0; i < s->n && cspr_suppress_any(CSPR_SUPPRESS_DEADLOCK); i++) {
        view_waiting(&v, s->of[i]->task);
        if (cspr_view_suppressed(&v, CSPR_SUPPRESS_DEADLOCK, false))
            return true;
    }
    return false;
}

// Cycles of locks were told when they closed; those who are in one are not told again by themselves.
static bool all_told(const stuck *s)
{
    for (size_t i = 0; i < s->n; i++)
        if (!cspr_deadlock_told(cspr_task_who(s->of[i]->task)) && s->of[i]->op != CSP_OP_THREAD_JOIN)
            return false;
    return true;
}

static void report_locked(void *arg)
{
    static cspr_view v; // under the report lock
    const stuck *s = arg;
    cspr_report r;
    if (all_told(s) || is_suppressed(s))
        return;
    cspr_report_open(&r, "deadlock");
    for (size_t i = 0; i < s->n; i++)
        add_waiting(&r, s, s->of[i]);
    for (size_t i = 0; i < s->n; i++)
        cspr_report_creation(&r, cspr_task_who(s->of[i]->task), NULL);
    size_t where = 0; // who waits for another's end is less to blame
    while (where + 1 < s->n && s->of[where]->op == CSP_OP_THREAD_JOIN)
        where++;
    view_waiting(&v, s->of[where]->task);
    cspr_report_close(&r, "deadlock", &v);
}

void cspr_control_stuck(void)
{
    stuck s = {0};
    cspr_note("fatal error: all threads wait for one another - deadlock!");
    if (cspr_flags.report_bugs && cspr_flags.detect_deadlocks) {
        cspr_enter();
        cspr_control_each_waiter(add, &s);
        cspr_report_lock();
        cspr_call_on_own_stack(report_locked, &s);
        cspr_report_unlock();
        cspr_leave();
    }
    cspr_before_exit();
    cspr_last_words();
    _exit(cspr_flags.exitcode);
}
