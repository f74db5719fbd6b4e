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
// A timeout is a timer on our stack that claims the select like a channel would. No channel lock keeps it from firing before
// we are parked, so sel.lock does.
#include "csp/select.h"

#include "base/atomic.h"
#include "chan.h"
#include "csp/go.h"
#include "panic.h"
#include "timer.h"

#include <stdlib.h>

enum { CASES_ON_STACK = 16 };

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
    size_t at = cspi_random() % (last + 1);
    s->poll[last] = (uint32_t)i;
    uint32_t other = s->poll[at];
    s->poll[at] = (uint32_t)i;
    s->poll[last] = other;
}

static void prepare(selection *s)
{
    for (size_t i = 0; i < s->n; i++) {
        const csp_case *k = &s->cases[i];
        if (has_channel(k)) {
            s->locks[s->n_locks++] = k->chan;
            add_to_poll(s, i);
        } else if (k->op == CSP_WAIT_SLEEP && k->ns <= 0) {
            add_to_poll(s, i);
        } else if (k->op == CSP_WAIT_SLEEP && (!s->timeout || k->ns < s->timeout->ns)) {
            s->timeout = k;
        }
    }
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

// Tries the cases in their random order. Caller holds all locks.
static verdict try_cases_locked(selection *s, csp_co **wake)
{
    for (size_t i = 0; i < s->n_poll; i++) {
        const csp_case *k = &s->cases[s->poll[i]];
        verdict v = {.index = (int)s->poll[i], .done = true};
        if (k->op == CSP_WAIT_SLEEP)
            return v;
        cspi_outcome outcome = k->op == CSP_WAIT_SEND ? cspi_chan_send_locked(k->chan, k->buf, wake)
                                                      : cspi_chan_recv_locked(k->chan, k->buf, wake);
        if (outcome == CSPI_WOULD_PARK)
            continue;
        v.done = outcome == CSPI_DONE;
        v.elem_size = k->chan->elem_size;
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

static void queue_waiters_locked(selection *s)
{
    for (size_t i = 0; i < s->n; i++) {
        const csp_case *k = &s->cases[i];
        bool real = has_channel(k);
        s->views[i] = (csp_case_view){.op = k->op, .site = k->site};
        if (!real)
            continue;
        s->views[i].chan = k->chan;
        s->views[i].ch = k->chan->ch;
        s->waiters[i] = (cspi_chan_waiter){
            .base.co = cspi_self(), .buf = k->buf, .sel = &s->sel, .index = i, .elem_size = k->chan->elem_size};
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

// Caller holds all locks. Only cases with a channel are shown as something to wait for; a timeout shows as will_wake.
static verdict park_until_claimed(selection *s, const csp_site *site)
{
    struct select_timer timeout = {.sel = &s->sel, .co = cspi_self()};
    const cspi_wait wait = {
        .op = CSP_WAIT_SELECT, .will_wake = s->timeout != NULL, .site = site, .cases = s->views, .n_cases = s->n};
    queue_waiters_locked(s);
    cspi_lock_acquire(&s->sel.lock);
    if (s->timeout) {
        int64_t now = cspi_now();
        int64_t when = s->timeout->ns > INT64_MAX - now ? INT64_MAX : now + s->timeout->ns;
        cspi_timer_start(&timeout.timer, when, fire_timeout);
    }
    cspi_park_with(&wait, unlock_all, s);
    if (s->timeout)
        cspi_timer_stop(&timeout.timer);
    leave_queues(s);
    cspi_chan_waiter *w = s->sel.winner;
    if (!w)
        // NOLINTNEXTLINE(clang-analyzer-core.NullPointerArithm): nobody won, so the timeout did
        return (verdict){.index = (int)(s->timeout - s->cases), .done = true};
    return (verdict){.index = (int)w->index, .done = w->done, .elem_size = w->elem_size};
}

// --- the whole ------------------------------------------------------------------------------------------------------------

static verdict decide(selection *s, bool may_park, const csp_site *site)
{
    csp_co *wake = NULL;
    prepare(s);
    lock_all(s);
    verdict v = try_cases_locked(s, &wake);
    if (v.index < 0 && may_park)
        return park_until_claimed(s, site);
    unlock_channels(s->locks, s->n_locks);
    if (wake)
        cspi_ready(wake);
    return v;
}

static verdict decide_few(const csp_case *cases, size_t n, bool may_park, const csp_site *site)
{
    csp_chan *locks[CASES_ON_STACK];
    uint32_t poll[CASES_ON_STACK];
    cspi_chan_waiter waiters[CASES_ON_STACK];
    csp_case_view views[CASES_ON_STACK];
    selection s = {.cases = cases, .n = n, .locks = locks, .poll = poll, .waiters = waiters, .views = views};
    return decide(&s, may_park, site);
}

static verdict decide_many(const csp_case *cases, size_t n, bool may_park, const csp_site *site)
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
    selection s = {.cases = cases, .n = n, .locks = locks, .poll = poll, .waiters = waiters, .views = views};
    verdict v = decide(&s, may_park, site);
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

CSPI_IN_PUBLIC int run_select(const csp_case *cases, size_t n, bool may_park, const csp_site *site)
{
    note_entry(cases, n);
    verdict v = n <= CASES_ON_STACK ? decide_few(cases, n, may_park, site) : decide_many(cases, n, may_park, site);
    if (v.index >= 0)
        deliver(&cases[v.index], v);
    return v.index;
}

int csp_select(const csp_case *cases, size_t n)
{
    CSPI_FRAME();
    return run_select(cases, n, true, CSP_HOOK_VALUE(take_site, NULL));
}

int csp_try_select(const csp_case *cases, size_t n)
{
    CSPI_FRAME();
    return run_select(cases, n, false, CSP_HOOK_VALUE(take_site, NULL));
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
