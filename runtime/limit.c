// limit.c - arming and disarming the two reasons to give up a wait.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The timer and the context may both come; the one that moves `by` from OPEN calls abandon, the other does nothing. Either may
// be running abandon while the waiter, which it has just readied, comes here to disarm: cspi_timer_stop and
// cspi_ctx_waiter_remove wait until they have let go of our memory.
// Ordering:  G1 by: claimed by an exchange; read by the waiter after both were stopped, which orders it.
#include "limit.h"

#include "base/atomic.h"
#include "hooks.h"
#include "sched.h"

#include <errno.h>
#include <stddef.h>

static void claim(cspi_giveup *g, uint32_t who, int why)
{
    uint32_t open = CSPI_GIVEUP_OPEN;
    if (csp_cas_acqrel(&g->by, &open, who)) // G1
        g->abandon(g, why);
}

static void fire_limit(cspi_timer *t)
{
    claim((cspi_giveup *)t, CSPI_GIVEUP_BY_TIMER, ETIMEDOUT);
}

static void abandon_for_ctx(cspi_ctx_waiter *w, int err)
{
    claim((cspi_giveup *)((char *)w - offsetof(cspi_giveup, waiter)), CSPI_GIVEUP_BY_CTX, err);
}

bool cspi_limit_will_wake(const cspi_limit *l)
{
    int64_t at;
    return l->until != CSPI_NO_LIMIT || csp_ctx_deadline(l->ctx, &at);
}

// Fields one by one: clearing the whole costs as much as an uncontended wait.
bool cspi_giveup_arm(cspi_giveup *g, const cspi_limit *l, void (*abandon)(cspi_giveup *g, int why))
{
    g->abandon = abandon;
    g->by = CSPI_GIVEUP_OPEN;
    g->why = 0;
    g->has_time = l->until != CSPI_NO_LIMIT;
    g->has_ctx = false;
    if (g->has_time && l->until <= cspi_now()) {
        g->why = ETIMEDOUT;
        return false;
    }
    g->waiter.is_the_calls = false;
    int err = cspi_ctx_waiter_add(l->ctx, &g->waiter, abandon_for_ctx, &g->has_ctx);
    if (err) {
        g->why = err; // not in any case: once the waiter is added, why is abandon's
        return false;
    }
    if (g->has_time) {
        (void)cspi_self(); // timers need a runtime
        g->timer = (cspi_timer){0};
        cspi_timer_start(&g->timer, l->until, fire_limit);
    }
    return true;
}

void cspi_giveup_disarm(cspi_giveup *g)
{
    if (g->has_time)
        cspi_timer_stop(&g->timer);
    if (!g->has_ctx)
        return;
    cspi_ctx_waiter_remove(&g->waiter);
    cspi_ctx_waiter_fini(&g->waiter, g->why && g->by == CSPI_GIVEUP_BY_CTX);
}
