// select.c - one of several channel operations: the first that can happen, chosen at random among those that can.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Three steps, as Go's selectgo. With all channels locked (in the order of their addresses, so that two selects cannot
// deadlock) the cases are tried in a random order; the first that works is the one. If none does, a waiter is queued on every
// channel and the coroutine parks, which unlocks them all. Whoever meets one of the waiters first claims the select - moves
// `fired` from 0 to 1 - performs the operation and readies the coroutine; that then takes its other waiters off their queues.
//
// Lifetimes. The winner's channel may be freed while we wake up, so it is not looked at again; the others cannot be, since
// csp_chan_free waits for waiters like ours to leave. The scratch memory is ours until we return, and we cannot return before
// unlock_all has let go of every channel: to do so we need the lock of each but the winner's.
//
// A timeout is a timer on our stack that claims the select like a channel would, and so is giving up (limit.h). No channel lock
// keeps them from claiming before we are parked, so sel.lock does. Neither ever touches a channel: a send or receive with a
// limit is a select of one case, since its channel may be freed as soon as the operation happened.
//
// Before the locks are taken each case that looks ready is tried alone, in the random order: mostly that is all. It is a legal
// outcome, as that case was ready while its lock was held.
#include "csp/select.h"

#include "base/atomic.h"
#include "chan.h"
#include "csp/errno.h"
#include "csp/go.h"
#include "limit.h"
#include "panic.h"
#include "timer.h"

#include <stdlib.h>

enum { CASES_ON_STACK = 16 };

enum patience { NONE, LIMITED, ENDLESS };

// The select's limit, on its stack.
struct select_giveup {
    cspi_giveup giveup; // first: abandon finds us
    cspi_select *sel;
    csp_co *co;
    bool parked; // under sel.lock
};

struct select_timer {
    cspi_timer timer;
    cspi_select *sel;
    csp_co *co;
};

// One select while it runs. The arrays have room for one entry per case.
typedef struct selection {
    const csp_case *cases;
    size_t n;
    csp_chan **locks; // the distinct channels, by address
    size_t n_locks;
    uint32_t *poll; // cases that can be ready, in random order
    size_t n_poll;
    const csp_case *timeout; // the earliest csp_case_after that is not due yet; NULL: none
    cspi_chan_waiter *waiters;
    csp_case_view *views;
    const cspi_limit *limit; // NULL: none
    bool is_plain;           // a send or receive: to be shown as that
    cspi_select sel;
} selection;

// What came of it: the case, and whether its operation happened or met a closed channel.
typedef struct verdict {
    int index; // -1: none was ready
    bool done;
    size_t elem_size;
} verdict;

static bool has_channel(const csp_case *k)
{
    return k->chan && k->op != CSP_WAIT_SLEEP;
}

#if CSP_HOOKS
// What a choice point before the select says it is about; it may be about others, too.
static const void *first_object(const csp_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (has_channel(&cases[i]))
            return cases[i].chan;
    return NULL;
}
#endif

// --- preparing ------------------------------------------------------------------------------------------------------------

// Shell sort: a few cases mostly, and no recursion or callback for the thousands.
static void sort_by_address(csp_chan **a, size_t n)
{
    size_t gap = 1;
    while (gap < n / 3)
        gap = 3 * gap + 1;
    for (; gap; gap /= 3) {
        for (size_t i = gap; i < n; i++) {
            csp_chan *c = a[i];
            size_t j = i;
            for (; j >= gap && (uintptr_t)a[j - gap] > (uintptr_t)c; j -= gap)
                a[j] = a[j - gap];
            a[j] = c;
        }
    }
}

static size_t drop_repeats(csp_chan **a, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (!kept || a[kept - 1] != a[i])
            a[kept++] = a[i];
    return kept;
}

// Puts case i at a random place among those already there.
static void add_to_poll(selection *s, size_t i)
{
    size_t last = s->n_poll++;
    size_t at = CSPI_CONTROLLED() || !last ? last : (size_t)((uint64_t)cspi_random() * (last + 1) >> 32);
    s->poll[last] = (uint32_t)i;
    uint32_t other = s->poll[at];
    s->poll[at] = (uint32_t)i;
    s->poll[last] = other;
}

static void prepare(selection *s)
{
    for (size_t i = 0; i < s->n; i++) {
        const csp_case *k = &s->cases[i];
        if (has_channel(k))
            add_to_poll(s, i);
        else if (k->op == CSP_WAIT_SLEEP && k->ns <= 0)
            add_to_poll(s, i);
        else if (k->op == CSP_WAIT_SLEEP && (!s->timeout || k->ns < s->timeout->ns))
            s->timeout = k;
    }
}

static void collect_locks(selection *s)
{
    for (size_t i = 0; i < s->n; i++)
        if (has_channel(&s->cases[i]))
            s->locks[s->n_locks++] = s->cases[i].chan;
    sort_by_address(s->locks, s->n_locks);
    s->n_locks = drop_repeats(s->locks, s->n_locks);
}

// The program's accesses and uses, before anything is ordered. The values of all send cases count as read now, as Go
// evaluates them when the select begins: one of them may be taken while we are parked.
CSPI_IN_PUBLIC void note_entry(const csp_case *cases, size_t n)
{
#if CSP_HOOKS
    for (size_t i = 0; i < n; i++) {
        if (!has_channel(&cases[i]))
            continue;
        bool sends = cases[i].op == CSP_WAIT_SEND;
        CSP_HOOK(chan_use, cases[i].chan->ch, sends ? CSP_CHAN_USE_SEND : CSP_CHAN_USE_RECV);
        if (sends)
            CSP_HOOK(read_range, cases[i].buf, cases[i].chan->elem_size);
    }
#endif
    (void)cases, (void)n;
}

// --- trying ---------------------------------------------------------------------------------------------------------------

static void lock_all(selection *s)
{
    for (size_t i = 0; i < s->n_locks; i++)
        cspi_lock_acquire(&s->locks[i]->lock);
}

// After the last release *s may be gone: nothing but locals from there on.
static void unlock_channels(csp_chan **locks, size_t n)
{
    for (size_t i = 0; i < n; i++)
        cspi_lock_release(&locks[i]->lock);
}

static void unlock_all(void *arg)
{
    selection *s = arg;
    csp_chan **locks = s->locks;
    size_t n = s->n_locks;
    cspi_lock_release(&s->sel.lock); // first: the timer's claim alone lets us no further than the channels' locks
    unlock_channels(locks, n);
}

// One case with a channel. Caller holds its lock.
static verdict try_case_locked(const selection *s, uint32_t index, csp_co **wake)
{
    const csp_case *k = &s->cases[index];
    cspi_outcome outcome = k->op == CSP_WAIT_SEND ? cspi_chan_send_locked(k->chan, k->buf, wake)
                                                  : cspi_chan_recv_locked(k->chan, k->buf, wake);
    if (outcome == CSPI_WOULD_PARK)
        return (verdict){.index = -1};
    return (verdict){.index = (int)index, .done = outcome == CSPI_DONE, .elem_size = k->chan->elem_size};
}

// Tries the cases in their random order. Caller holds all locks.
static verdict try_cases_locked(selection *s, csp_co **wake)
{
    verdict v = {.index = -1};
    for (size_t i = 0; i < s->n_poll && v.index < 0; i++)
        v = try_case_locked(s, s->poll[i], wake); // a timeout that is due was found by try_each
    return v;
}

static bool looks_ready(const csp_case *k)
{
    return k->op == CSP_WAIT_SLEEP || cspi_chan_looks_ready(k->chan, k->op == CSP_WAIT_SEND);
}

// Under a controlled schedule which of the cases that are ready comes first is a decision; nobody else runs meanwhile.
static void choose_ready(selection *s)
{
    uint32_t n = 0;
    for (size_t i = 0; i < s->n_poll; i++)
        n += looks_ready(&s->cases[s->poll[i]]);
    if (n < 2)
        return;
    uint32_t skip = CSP_HOOK_VALUE(choose, 0, n);
    size_t i = 0;
    while (!looks_ready(&s->cases[s->poll[i]]) || skip-- > 0)
        i++;
    uint32_t first = s->poll[i];
    s->poll[i] = s->poll[0];
    s->poll[0] = first;
}

// Tries those that look ready, each under its channel's lock alone.
static verdict try_each(selection *s, csp_co **wake)
{
    if (CSPI_CONTROLLED())
        choose_ready(s);
    for (size_t i = 0; i < s->n_poll; i++) {
        const csp_case *k = &s->cases[s->poll[i]];
        if (!looks_ready(k))
            continue;
        if (k->op == CSP_WAIT_SLEEP)
            return (verdict){.index = (int)s->poll[i], .done = true};
        csp_chan *c = k->chan;
        cspi_lock_acquire(&c->lock);
        verdict v = try_case_locked(s, s->poll[i], wake);
        cspi_lock_release(&c->lock);
        if (v.index >= 0)
            return v;
    }
    return (verdict){.index = -1};
}

// --- parking --------------------------------------------------------------------------------------------------------------

static void fire_timeout(cspi_timer *t)
{
    struct select_timer *st = (struct select_timer *)t;
    uint32_t undecided = 0;
    cspi_lock_acquire(&st->sel->lock);
    bool ours = csp_cas_acqrel(&st->sel->fired, &undecided, 1); // claims the select, as claim_waiter_locked does
    cspi_lock_release(&st->sel->lock);
    if (ours)
        cspi_ready(st->co); // the coroutine waits in cspi_timer_stop until we have returned
}

// Runs on a scheduler's or a canceller's thread.
static void abandon_select(cspi_giveup *g, int why)
{
    struct select_giveup *sg = (struct select_giveup *)g;
    uint32_t undecided = 0;
    cspi_lock_acquire(&sg->sel->lock);
    bool ours = csp_cas_acqrel(&sg->sel->fired, &undecided, 1); // claims the select, as claim_waiter_locked does
    if (ours)
        g->why = why;
    bool parked = sg->parked;
    cspi_lock_release(&sg->sel->lock);
    if (ours && parked)
        cspi_ready(sg->co); // the coroutine waits in cspi_giveup_disarm until we have returned
}

static void queue_waiters_locked(selection *s)
{
    csp_co *self = cspi_self();
    for (size_t i = 0; i < s->n; i++) {
        const csp_case *k = &s->cases[i];
        bool real = has_channel(k);
        s->views[i] = (csp_case_view){.op = k->op, .site = k->site};
        if (!real)
            continue;
        s->views[i].chan = k->chan;
        s->views[i].ch = k->chan->ch;
        s->waiters[i] = (cspi_chan_waiter){
            .base.co = self, .buf = k->buf, .sel = &s->sel, .index = i, .elem_size = k->chan->elem_size};
        cspi_waitq_push(k->op == CSP_WAIT_SEND ? &k->chan->senders : &k->chan->receivers, &s->waiters[i].base);
    }
}

static void leave_queues(selection *s)
{
    for (size_t i = 0; i < s->n; i++) {
        const csp_case *k = &s->cases[i];
        if (!has_channel(k) || s->sel.winner == &s->waiters[i])
            continue;
        csp_chan *c = k->chan;
        cspi_lock_acquire(&c->lock);
        cspi_waitq_remove(k->op == CSP_WAIT_SEND ? &c->senders : &c->receivers, &s->waiters[i].base);
        cspi_lock_release(&c->lock);
    }
}

// How it shows to dumps and the leak check. Only cases with a channel are shown as something to wait for; a timeout shows as
// will_wake.
static cspi_wait describe_wait(const selection *s, const csp_site *site)
{
    bool will_wake = s->timeout || (s->limit && cspi_limit_will_wake(s->limit));
    if (!s->is_plain)
        return (cspi_wait){
            .op = CSP_WAIT_SELECT, .will_wake = will_wake, .site = site, .cases = s->views, .n_cases = s->n};
    csp_chan *c = s->cases[0].chan;
    return (cspi_wait){.op = s->cases[0].op, .will_wake = will_wake, .obj = c, .ch = c ? c->ch : NULL, .site = site};
}

// Caller holds all locks and sel.lock; the select is undecided.
static void park(selection *s, const csp_site *site)
{
    struct select_timer timeout = {.sel = &s->sel, .co = cspi_self()};
    const cspi_wait wait = describe_wait(s, site);
    queue_waiters_locked(s);
    if (s->timeout) {
        int64_t now = cspi_now();
        int64_t when = s->timeout->ns > INT64_MAX - now ? INT64_MAX : now + s->timeout->ns;
        cspi_timer_start(&timeout.timer, when, fire_timeout);
    }
    cspi_park_with(&wait, unlock_all, s);
    if (s->timeout)
        cspi_timer_stop(&timeout.timer);
    leave_queues(s);
}

// What a select that was parked, and is decided, came to; whether it was given up stands in `gave_up`.
static verdict read_verdict(const selection *s, bool gave_up)
{
    cspi_chan_waiter *w = s->sel.winner;
    if (w)
        return (verdict){.index = (int)w->index, .done = w->done, .elem_size = w->elem_size};
    if (gave_up)
        return (verdict){.index = -1};
    // NOLINTNEXTLINE(clang-analyzer-core.NullPointerArithm): nobody won, so the timeout did
    return (verdict){.index = (int)(s->timeout - s->cases), .done = true};
}

// --- the whole ------------------------------------------------------------------------------------------------------------

// Nothing was ready. Caller holds no lock; giveup is armed.
static verdict wait_limited(selection *s, struct select_giveup *g, const csp_site *site)
{
    csp_co *wake = NULL;
    lock_all(s);
    verdict v = try_cases_locked(s, &wake); // the world has changed since we looked
    cspi_lock_acquire(&s->sel.lock);
    bool parks = v.index < 0 && !g->giveup.why;
    if (parks) {
        g->parked = true;
        park(s, site);
        v = read_verdict(s, g->giveup.why);
    } else {
        csp_store_rlx(&s->sel.fired, 1u); // under sel.lock; relaxed: abandon, which takes that lock, comes too late now
        unlock_all(s);
    }
    if (wake)
        cspi_ready(wake);
    if (v.index >= 0)
        g->giveup.why = 0; // nothing was observed of a cancellation
    return v;
}

// Nothing was ready. Caller holds no lock.
static verdict decide_limited(selection *s, const csp_site *site)
{
    struct select_giveup g = {.sel = &s->sel, .co = cspi_self()};
    verdict v = {.index = -1};
    if (cspi_giveup_arm(&g.giveup, s->limit, abandon_select)) {
        v = wait_limited(s, &g, site);
        cspi_giveup_disarm(&g.giveup);
    }
    if (v.index < 0)
        errno = g.giveup.why;
    return v;
}

static verdict decide(selection *s, enum patience patience, const csp_site *site)
{
    csp_co *wake = NULL;
    prepare(s);
    verdict v = try_each(s, &wake);
    if (v.index < 0 && (patience != NONE || s->n_poll > 1)) {
        collect_locks(s);
        if (patience == LIMITED)
            return decide_limited(s, site);
        lock_all(s);
        v = try_cases_locked(s, &wake);
        if (v.index < 0 && patience == ENDLESS) {
            cspi_lock_acquire(&s->sel.lock);
            park(s, site);
            return read_verdict(s, false);
        }
        unlock_channels(s->locks, s->n_locks);
    }
    if (wake)
        cspi_ready(wake);
    return v;
}

static verdict decide_few(const csp_case *cases, size_t n, enum patience patience, const cspi_limit *limit,
                          const csp_site *site)
{
    csp_chan *locks[CASES_ON_STACK];
    uint32_t poll[CASES_ON_STACK];
    cspi_chan_waiter waiters[CASES_ON_STACK];
    csp_case_view views[CASES_ON_STACK];
    selection s = {
        .cases = cases, .n = n, .locks = locks, .poll = poll, .waiters = waiters, .views = views, .limit = limit};
    return decide(&s, patience, site);
}

static verdict decide_many(const csp_case *cases, size_t n, enum patience patience, const cspi_limit *limit,
                           const csp_site *site)
{
    size_t each = sizeof(cspi_chan_waiter) + sizeof(csp_case_view) + sizeof(csp_chan *) + sizeof(uint32_t);
    CSP_HOOK(ignore_begin);
    void *scratch = n <= INT32_MAX ? malloc(n * each) : NULL;
    CSP_HOOK(ignore_end);
    if (!scratch)
        cspi_fatal("out of memory: select of %zu cases", n);
    cspi_chan_waiter *waiters = scratch;
    csp_case_view *views = (csp_case_view *)(waiters + n);
    csp_chan **locks = (csp_chan **)(views + n);
    uint32_t *poll = (uint32_t *)(locks + n);
    selection s = {
        .cases = cases, .n = n, .locks = locks, .poll = poll, .waiters = waiters, .views = views, .limit = limit};
    verdict v = decide(&s, patience, site);
    CSP_HOOK(ignore_begin);
    free(scratch);
    CSP_HOOK(ignore_end);
    return v;
}

// What the chosen case means to the program.
CSPI_IN_PUBLIC void deliver(const csp_case *k, verdict v)
{
    if (k->op == CSP_WAIT_SEND && !v.done)
        csp_panic("send on closed channel");
    if (k->op != CSP_WAIT_RECV)
        return;
    if (k->buf)
        CSP_HOOK(write_range, k->buf, v.elem_size);
    if (k->ok) {
        CSP_HOOK(write_range, k->ok, sizeof *k->ok);
        *k->ok = v.done;
    }
}

CSPI_IN_PUBLIC int run_select(const csp_case *cases, size_t n, enum patience patience, cspi_limit limit,
                              const csp_site *site)
{
    note_entry(cases, n);
    const cspi_limit *l = patience == LIMITED ? &limit : NULL;
    verdict v =
        n <= CASES_ON_STACK ? decide_few(cases, n, patience, l, site) : decide_many(cases, n, patience, l, site);
    if (v.index >= 0)
        deliver(&cases[v.index], v);
    return v.index;
}

int csp_select(const csp_case *cases, size_t n)
{
    CSPI_FRAME();
    CSPI_POINT(SELECT, first_object(cases, n));
    return run_select(cases, n, ENDLESS, (cspi_limit){0}, CSP_HOOK_VALUE(take_site, NULL));
}

int csp_select_until(const csp_case *cases, size_t n, int64_t at)
{
    CSPI_FRAME();
    CSPI_POINT(SELECT, first_object(cases, n));
    return run_select(cases, n, LIMITED, (cspi_limit){.until = at}, CSP_HOOK_VALUE(take_site, NULL));
}

int csp_select_ctx(const csp_case *cases, size_t n, csp_ctx *ctx)
{
    CSPI_FRAME();
    CSPI_POINT(SELECT, first_object(cases, n));
    cspi_limit limit = {.until = CSPI_NO_LIMIT, .ctx = ctx};
    return run_select(cases, n, LIMITED, limit, CSP_HOOK_VALUE(take_site, NULL));
}

int csp_try_select(const csp_case *cases, size_t n)
{
    CSPI_FRAME();
    CSPI_POINT(SELECT, first_object(cases, n));
    return run_select(cases, n, NONE, (cspi_limit){0}, CSP_HOOK_VALUE(take_site, NULL));
}

// The caller has told the detector of the call, and tells it of what comes of it.
cspi_outcome cspi_chan_wait_limited(csp_chan *c, bool sends, void *buf, const cspi_limit *limit, const csp_site *site)
{
    const csp_case k = {.op = sends ? CSP_WAIT_SEND : CSP_WAIT_RECV, .chan = c, .buf = buf, .site = site};
    csp_chan *lock;
    uint32_t poll;
    cspi_chan_waiter waiter;
    csp_case_view view;
    selection s = {.cases = &k,
                   .n = 1,
                   .locks = &lock,
                   .poll = &poll,
                   .waiters = &waiter,
                   .views = &view,
                   .limit = limit,
                   .is_plain = true};
    verdict v = decide(&s, LIMITED, site);
    if (v.index < 0)
        return CSPI_WOULD_PARK;
    return v.done ? CSPI_DONE : CSPI_CLOSED;
}

csp_case csp_case_send(csp_chan *c, const void *v)
{
    return (csp_case){
        .op = CSP_WAIT_SEND, .chan = c, .buf = (void *)(uintptr_t)v, .site = CSP_HOOK_VALUE(take_site, NULL)};
}

csp_case csp_case_recv(csp_chan *c, void *v, bool *ok)
{
    return (csp_case){.op = CSP_WAIT_RECV, .chan = c, .buf = v, .ok = ok, .site = CSP_HOOK_VALUE(take_site, NULL)};
}

csp_case csp_case_after(int64_t ns)
{
    return (csp_case){.op = CSP_WAIT_SLEEP, .ns = ns, .site = CSP_HOOK_VALUE(take_site, NULL)};
}
