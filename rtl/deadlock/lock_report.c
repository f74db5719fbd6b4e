// lock_report.c - the report of a lock-order inversion, in ThreadSanitizer's words, with all stacks of each step.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "deadlock/lock_order.h"
#include "report/report.h"

#include <errno.h>

static const char what[] = "lock-order-inversion (potential deadlock)";

static bool is_suppressed(const cspr_lock_steps *c)
{
    static cspr_view v; // under the report lock
    for (size_t i = 0; i < 2 * c->n && cspr_suppress_any(CSPR_SUPPRESS_DEADLOCK); i++) {
        cspr_view_stack(&v, i % 2 ? c->of[i / 2].held_stack : c->of[i / 2].stack, 0xff);
        if (cspr_view_suppressed(&v, CSPR_SUPPRESS_DEADLOCK, false))
            return true;
    }
    return false;
}

static void add_stack(cspr_report *r, cspr_stack stack, const char *role, cspr_who who)
{
    static cspr_view v; // under the report lock
    cspr_view_stack(&v, stack, 0xff);
    cspr_report_role(r, role, true, who);
    cspr_report_stack(r, &v, true);
}

static void add_step(cspr_report *r, const cspr_lock_step *s)
{
    cspr_text_add(&r->text, "%s  Mutex M%u %sacquired here while %sholding mutex M%u in ", r->bold,
                  cspr_report_lock_number(s->lock), s->mode == CSP_LOCK_READ ? "read-" : "",
                  s->held_mode == CSP_LOCK_READ ? "read-" : "", cspr_report_lock_number(s->held_lock));
    cspr_report_who(r, s->who, false);
    cspr_text_add(&r->text, ":%s\n", r->plain);
    add_stack(r, s->stack, "lock", s->who);
    cspr_text_add(&r->text, "%s  Mutex M%u previously acquired by the same %s here:%s\n", r->green,
                  cspr_report_lock_number(s->held_lock), cspi_runtime_view ? "coroutine" : "thread", r->plain);
    add_stack(r, s->held_stack, "held", s->who);
}

static void report_locked(void *arg)
{
    static cspr_view v; // under the report lock
    const cspr_lock_steps *c = arg;
    cspr_report r;
    if (is_suppressed(c))
        return;
    cspr_report_open(&r, what);
    cspr_text_add(&r.text, "%s  Cycle in lock order graph: ", r.bold);
    for (size_t i = 0; i < c->n; i++)
        cspr_text_add(&r.text, "M%u (0x%lx) => ", cspr_report_lock_number(c->of[i].held_lock),
                      (uintptr_t)c->of[i].held_lock);
    cspr_text_add(&r.text, "M%u%s\n\n", cspr_report_lock_number(c->of[0].held_lock), r.plain);
    for (size_t i = 0; i < c->n; i++)
        add_step(&r, &c->of[i]);
    for (size_t i = 0; i < c->n; i++)
        cspr_report_lock_made(&r, c->of[i].held_lock);
    for (size_t i = 0; i < c->n; i++)
        cspr_report_creation(&r, c->of[i].who, NULL);
    cspr_view_stack(&v, c->of[0].stack, 0xff);
    cspr_report_close(&r, what, &v);
}

void cspr_report_lock_order(const cspr_lock_steps *cycle)
{
    int saved = errno;
    if (!cspr_flags.report_bugs)
        return;
    cspr_report_lock();
    cspr_call_on_own_stack(report_locked, (void *)cycle);
    cspr_report_unlock();
    errno = saved;
}
