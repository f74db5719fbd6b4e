// time.c - csp_after, tickers and timers, over the runtime's one-shot timers.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A timer fires on a scheduler's stack, where there is no current task; the order its event carries is a snapshot of what
// its creator knew (hooks.h), taken when it is created or reset.
// See: Go's time.After, NewTicker, AfterFunc; sleep.c
#include "csp/time.h"

#include "base/lock.h"
#include "chan.h"
#include "csp/go.h"
#include "hooks.h"
#include "panic.h"
#include "sched.h"
#include "timer.h"

#include <stdlib.h>

int64_t csp_now(void)
{
    CSPI_POINT_IDLE(CLOCK, NULL);
    return cspi_now();
}

static void *alloc_or_die(size_t size, const char *what)
{
    CSP_HOOK(ignore_begin);
    void *p = calloc(1, size);
    CSP_HOOK(ignore_end);
    if (!p)
        cspi_fatal("out of memory: no room for a %s", what);
    return p;
}

static void free_own(void *p)
{
    CSP_HOOK(ignore_begin);
    free(p);
    CSP_HOOK(ignore_end);
}

// From the stop to the new start, so that two resets of one timer do not mix. Not in the timer: what it starts may free it.
static cspi_lock resets;

// --- csp_after and tickers -------------------------------------------------------------------------------------------------

struct csp_ticker {
    cspi_timer timer; // first: fire gets its address
    csp_chan *chan;
    int64_t period; // 0: once
    void *snapshot; // replaced only while the timer is stopped
};

static void fire_ticker(cspi_timer *t)
{
    csp_ticker *k = (csp_ticker *)t;
    int64_t now = cspi_now();
    // A one-shot is freed by whoever received its value, so nothing of it may be touched after the post; a ticker is
    // freed only after cspi_timer_stop, which waits for us.
    int64_t period = k->period;
    cspi_chan_post(k->chan, &now, k->snapshot);
    if (period == 0)
        return;
    // From the instant it was due, so that ticks do not drift; ticks that were missed are not made up for.
    int64_t next = t->when_ns + period;
    cspi_timer_start(t, next > now ? next : now + period - (now - t->when_ns) % period, fire_ticker);
}

static csp_ticker *new_ticker(int64_t period, const csp_site *site)
{
    csp_ticker *k = alloc_or_die(sizeof *k, "timer");
    k->chan = cspi_chan_new(sizeof(int64_t), 1, site);
    k->period = period;
    k->snapshot = CSP_HOOK_VALUE(snapshot_new, NULL);
    k->timer.wakes = k->chan;
    k->timer.idle = period != 0;
    return k;
}

// Waits for a tick under way. May be called for a stopped one.
static void end_ticker(void *ticker)
{
    csp_ticker *k = ticker;
    cspi_timer_stop(&k->timer);
    CSP_HOOK(snapshot_free, k->snapshot);
    free_own(k);
}

csp_chan *csp_after(int64_t ns)
{
    CSPI_FRAME();
    CSPI_POINT(TIMER, NULL);
    const csp_site *site = CSP_HOOK_VALUE(take_site, NULL);
    (void)cspi_self(); // the runtime has started
    csp_ticker *k = new_ticker(0, site);
    csp_chan *c = k->chan;
    cspi_chan_on_free(c, end_ticker, k);
    cspi_timer_start(&k->timer, cspi_after_now(ns), fire_ticker);
    return c;
}

csp_ticker *csp_ticker_new(int64_t ns)
{
    CSPI_FRAME();
    CSPI_POINT(TIMER, NULL);
    const csp_site *site = CSP_HOOK_VALUE(take_site, NULL);
    if (ns <= 0)
        csp_panic("non-positive interval for csp_ticker_new");
    (void)cspi_self();
    csp_ticker *k = new_ticker(ns, site);
    cspi_timer_start(&k->timer, cspi_after_now(ns), fire_ticker);
    return k;
}

csp_chan *csp_ticker_chan(csp_ticker *t)
{
    return t->chan;
}

void csp_ticker_stop(csp_ticker *t)
{
    CSPI_POINT(TIMER, t);
    cspi_timer_stop(&t->timer);
}

void csp_ticker_reset(csp_ticker *t, int64_t ns)
{
    CSPI_FRAME();
    CSPI_POINT(TIMER, t);
    (void)CSP_HOOK_VALUE(take_site, NULL);
    if (ns <= 0)
        csp_panic("non-positive interval for csp_ticker_reset");
    cspi_lock_acquire(&resets);
    cspi_timer_stop(&t->timer);
    CSP_HOOK(snapshot_free, t->snapshot);
    t->snapshot = CSP_HOOK_VALUE(snapshot_new, NULL);
    t->period = ns;
    cspi_timer_start(&t->timer, cspi_after_now(ns), fire_ticker);
    cspi_lock_release(&resets);
}

void csp_ticker_free(csp_ticker *t)
{
    CSPI_FRAME();
    CSPI_POINT(TIMER, t);
    if (!t)
        return;
    csp_chan *c = t->chan;
    end_ticker(t);
    cspi_chan_free(c);
}

// --- timers that run a function -------------------------------------------------------------------------------------------

struct csp_timer {
    cspi_timer timer; // first: fire gets its address
    void (*fn)(void *);
    void *arg;
    void *snapshot; // replaced only while the timer is stopped
};

static void fire_timer(cspi_timer *t)
{
    csp_timer *f = (csp_timer *)t;
    cspi_go_from(f->fn, f->arg, f->snapshot);
}

csp_timer *csp_timer_new(int64_t ns, void (*fn)(void *), void *arg)
{
    CSPI_FRAME();
    CSPI_POINT(TIMER, NULL);
    (void)CSP_HOOK_VALUE(take_site, NULL);
    (void)cspi_self();
    csp_timer *f = alloc_or_die(sizeof *f, "timer");
    f->fn = fn;
    f->arg = arg;
    f->snapshot = CSP_HOOK_VALUE(snapshot_new, NULL);
    cspi_timer_start(&f->timer, cspi_after_now(ns), fire_timer);
    return f;
}

bool csp_timer_stop(csp_timer *t)
{
    CSPI_POINT(TIMER, t);
    return cspi_timer_stop(&t->timer);
}

bool csp_timer_reset(csp_timer *t, int64_t ns)
{
    CSPI_FRAME();
    CSPI_POINT(TIMER, t);
    (void)CSP_HOOK_VALUE(take_site, NULL);
    cspi_lock_acquire(&resets);
    bool was_pending = cspi_timer_stop(&t->timer);
    CSP_HOOK(snapshot_free, t->snapshot);
    t->snapshot = CSP_HOOK_VALUE(snapshot_new, NULL);
    cspi_timer_start(&t->timer, cspi_after_now(ns), fire_timer);
    cspi_lock_release(&resets);
    return was_pending;
}

void csp_timer_free(csp_timer *t)
{
    CSPI_FRAME();
    CSPI_POINT(TIMER, t);
    if (!t)
        return;
    cspi_timer_stop(&t->timer);
    CSP_HOOK(snapshot_free, t->snapshot);
    free_own(t);
}
