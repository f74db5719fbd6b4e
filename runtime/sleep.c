// sleep.c - parking until an instant, or until a context is cancelled.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A plain sleep arms its timer only once the coroutine's state is saved, on the scheduler's stack, so it needs no lock; one with
// a context may be ended from two sides and is an object like any other that limit.h serves.
// See: Go's time.Sleep
#include "base/futex.h"
#include "csp/errno.h"
#include "csp/go.h"
#include "csp/time.h"
#include "hooks.h"
#include "limit.h"
#include "sched.h"

// --- until an instant -------------------------------------------------------------------------------------------------------

struct sleeper {
    cspi_timer timer;
    csp_co *co;
    int64_t until;
};

static void wake_sleeper(cspi_timer *t)
{
    cspi_ready(((struct sleeper *)t)->co);
}

// Runs once the sleeper's state is saved, so that the timer may fire at once.
static void arm_sleeper(void *sleeper)
{
    struct sleeper *s = sleeper;
    cspi_timer_start(&s->timer, s->until, wake_sleeper);
}

// A pthread of the program needs no worker for this; none may be free.
static void sleep_on_own_thread(int64_t until)
{
    uint32_t never_changed = 0;
    while (cspi_futex_wait(&never_changed, 0, until))
        ;
}

static void sleep_until(int64_t until, const csp_site *site)
{
    struct sleeper s = {.co = cspi_self(), .until = until};
    if (cspi_is_bound(s.co)) {
        sleep_on_own_thread(until);
        return;
    }
    cspi_wait wait = {.op = CSP_WAIT_SLEEP, .will_wake = true, .site = site};
    cspi_park_with(&wait, arm_sleeper, &s);
}

void csp_sleep(int64_t ns)
{
    CSPI_FRAME();
    CSPI_POINT(SLEEP, NULL);
    const csp_site *site = CSP_HOOK_VALUE(take_site, NULL);
    if (ns <= 0)
        csp_yield();
    else
        sleep_until(cspi_after_now(ns), site);
}

void csp_sleep_until(int64_t at)
{
    CSPI_FRAME();
    CSPI_POINT(SLEEP, NULL);
    const csp_site *site = CSP_HOOK_VALUE(take_site, NULL);
    if (at <= cspi_now())
        csp_yield();
    else
        sleep_until(at, site);
}

// --- or until a context is cancelled ----------------------------------------------------------------------------------------

struct nap {
    cspi_giveup giveup; // first: abandon gets its address
    cspi_lock lock;
    csp_co *parked; // under lock; NULL: not yet, or woken
};

static void end_nap(cspi_giveup *g, int why)
{
    struct nap *n = (struct nap *)g;
    cspi_lock_acquire(&n->lock);
    g->why = why;
    csp_co *co = n->parked;
    cspi_lock_release(&n->lock);
    if (co)
        cspi_ready(co);
}

bool csp_sleep_ctx(int64_t ns, csp_ctx *ctx)
{
    CSPI_FRAME();
    CSPI_POINT(SLEEP, NULL);
    const csp_site *site = CSP_HOOK_VALUE(take_site, NULL);
    struct nap n = {.parked = NULL};
    const cspi_limit limit = {.until = cspi_after_now(ns), .ctx = ctx};
    if (cspi_giveup_arm(&n.giveup, &limit, end_nap)) {
        cspi_lock_acquire(&n.lock);
        if (!n.giveup.why) {
            n.parked = cspi_self();
            const cspi_wait wait = {.op = CSP_WAIT_SLEEP, .will_wake = true, .site = site};
            cspi_park(&wait, &n.lock);
        } else {
            cspi_lock_release(&n.lock);
        }
        cspi_giveup_disarm(&n.giveup);
        if (n.giveup.by == CSPI_GIVEUP_BY_TIMER)
            return true;
    } else {
        int err = csp_ctx_err(ctx); // arm looks at the instant first
        if (!err) {
            csp_yield();
            return true;
        }
        n.giveup.why = err;
    }
    errno = n.giveup.why;
    return false;
}
