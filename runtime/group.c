// group.c - coroutines with a common context, a limit, and a wait for all of them.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One lock, two queues: starters wait for a place, waiters for the end of all. A function's end hands its place to the first
// starter, so a newcomer never overtakes one. Invariant, under the lock: starters wait only while n_active == limit > 0.
// Who ends the last function touches nothing of the group after it has released the lock: the group may be freed then.
//
// Detector. With a limit, a place is an element of Go's channel of tokens: start number n fills slot n modulo the limit, end
// number n empties it, and each is ordered after what its slot saw before. Ends accumulate in the group's clock, which wait
// joins. As in wg.c, a start from 0 that is not ordered with a wait is shown as a read and a write of `first_go`.
// See: Go's golang.org/x/sync/errgroup
#include "csp/group.h"

#include "base/lock.h"
#include "csp/errno.h"
#include "csp/go.h"
#include "hooks.h"
#include "limit.h"
#include "panic.h"
#include "waitq.h"

#include <stdlib.h>

struct csp_group {
    uint64_t tokens[2]; // names the channel of places for the detector; never touched by the runtime
    uint64_t first_go;  // likewise: "start from 0 against wait"
    // --- immutable after new
    csp_ctx *ctx; // referenced
    // --- under lock
    cspi_lock lock;
    int result; // the first that is not 0
    size_t limit;
    size_t n_active; // running, or about to be started
    size_t n_started, n_ended;
    void *places; // the detector's channel of `limit` places
    bool noted;   // the detector has been told of a wait
    cspi_waitq starters;
    cspi_waitq waiters;
};

typedef int (*member_fn)(csp_ctx *ctx, void *arg);

// What a coroutine of the group starts with. The runtime's own memory.
typedef struct member {
    csp_group *group;
    member_fn fn;
    void *arg;
} member;

// Somebody parked in one of the queues.
typedef struct visitor {
    cspi_giveup giveup; // first: abandon gets its address
    cspi_waiter waiter;
    csp_group *group;
    cspi_waitq *queue; // under the group's lock; NULL: not in it (yet, or any more)
    bool granted;
} visitor;

// --- parking ----------------------------------------------------------------------------------------------------------------

static void abandon(cspi_giveup *g, int why)
{
    visitor *v = (visitor *)g;
    csp_co *wake = NULL;
    cspi_lock_acquire(&v->group->lock);
    if (!v->granted) {
        g->why = why;
        if (v->queue) {
            cspi_waitq_remove(v->queue, &v->waiter);
            wake = v->waiter.co;
        }
    }
    cspi_lock_release(&v->group->lock);
    if (wake)
        cspi_ready(wake);
}

static visitor *visitor_of(cspi_waiter *w)
{
    return (visitor *)((char *)w - offsetof(visitor, waiter));
}

// Caller holds the lock, which is released. True: granted.
static bool park_locked(visitor *v, cspi_waitq *queue, int op, const cspi_limit *limit, const csp_site *site)
{
    v->queue = queue;
    v->waiter.co = cspi_self();
    cspi_waitq_push(queue, &v->waiter);
    const cspi_wait wait = {.op = op, .will_wake = cspi_limit_will_wake(limit), .obj = v->group, .site = site};
    cspi_park(&wait, &v->group->lock);
    return v->granted;
}

// --- starting ---------------------------------------------------------------------------------------------------------------

// co (NULL: the caller) gets a place.
static void take_place_locked(csp_group *g, csp_co *co)
{
    g->n_active++;
    if (g->limit)
        CSP_HOOK(chan_send, g->places, g->n_started++ % g->limit, co ? cspi_task(co) : NULL);
    (void)co;
}

static bool has_place_locked(const csp_group *g)
{
    return !g->limit || g->n_active < g->limit;
}

static void end_member(void *group)
{
    csp_group *g = group;
    cspi_lock_acquire(&g->lock);
    CSP_HOOK(release_merge, g, NULL);
    if (g->limit)
        CSP_HOOK(chan_recv, g->places, g->n_ended++ % g->limit, NULL);
    g->n_active--;
    cspi_waiter *starter = cspi_waitq_pop(&g->starters), *waiters = NULL;
    if (starter) {
        take_place_locked(g, starter->co);
        visitor_of(starter)->granted = true;
    } else if (g->n_active == 0) {
        waiters = cspi_waitq_take_all(&g->waiters);
        g->noted = false;
    }
    for (cspi_waiter *w = waiters; w; w = w->next) {
        CSP_HOOK(acquire, g, cspi_task(w->co));
        visitor_of(w)->granted = true;
    }
    cspi_lock_release(&g->lock);
    if (starter)
        cspi_ready(starter->co);
    cspi_waitq_ready_all(waiters);
}

static void note_result(csp_group *g, int result)
{
    cspi_lock_acquire(&g->lock);
    bool is_first = !g->result;
    if (is_first)
        g->result = result;
    cspi_lock_release(&g->lock);
    if (is_first)
        csp_ctx_cancel_cause(g->ctx, result);
}

static void run_member(void *arg)
{
    member m = *(member *)arg;
    CSP_HOOK(ignore_begin);
    free(arg);
    CSP_HOOK(ignore_end);
    cspi_at_end(end_member, m.group);
    int result = m.fn(m.group->ctx, m.arg);
    if (result)
        note_result(m.group, result);
}

// The caller has taken a place.
static void start_member(csp_group *g, member_fn fn, void *arg)
{
    CSP_HOOK(ignore_begin);
    member *m = malloc(sizeof *m);
    CSP_HOOK(ignore_end);
    if (!m)
        cspi_fatal("out of memory: function of a group");
    *m = (member){g, fn, arg};
    void *snapshot = CSP_HOOK_VALUE(snapshot_new, NULL);
    cspi_go_from(run_member, m, snapshot);
    CSP_HOOK(snapshot_free, snapshot);
}

// False: no place; the caller still holds nothing.
CSPI_IN_PUBLIC bool start_now(csp_group *g, member_fn fn, void *arg)
{
    cspi_lock_acquire(&g->lock);
    bool ok = has_place_locked(g), is_first = g->n_active == 0;
    if (ok)
        take_place_locked(g, NULL);
    cspi_lock_release(&g->lock);
    if (!ok)
        return false;
    if (is_first)
        CSP_HOOK(read_range, &g->first_go, sizeof g->first_go);
    start_member(g, fn, arg);
    return true;
}

// 0: started; else why not.
CSPI_IN_PUBLIC int start(csp_group *g, member_fn fn, void *arg, const cspi_limit *limit, const csp_site *site)
{
    if (start_now(g, fn, arg))
        return 0;
    visitor v = {.group = g};
    if (!cspi_giveup_arm(&v.giveup, limit, abandon))
        return v.giveup.why;
    cspi_lock_acquire(&g->lock);
    if (!v.giveup.why && has_place_locked(g)) {
        v.granted = true;
        take_place_locked(g, NULL);
    }
    if (v.giveup.why || v.granted)
        cspi_lock_release(&g->lock);
    else
        park_locked(&v, &g->starters, CSP_WAIT_SEM, limit, site);
    cspi_giveup_disarm(&v.giveup);
    if (!v.granted)
        return v.giveup.why; // NOLINT(clang-analyzer-core.StackAddressEscape): who woke us took v off the queue
    start_member(g, fn, arg);
    return 0;
}

static bool report(int why)
{
    if (why)
        errno = why;
    return !why;
}

void csp_group_go(csp_group *g, member_fn fn, void *arg)
{
    CSPI_FRAME();
    CSPI_POINT(GROUP, g);
    const csp_site *site = CSP_HOOK_VALUE(take_site, NULL);
    start(g, fn, arg, &(cspi_limit){.until = CSPI_NO_LIMIT}, site);
}

bool csp_group_try_go(csp_group *g, member_fn fn, void *arg)
{
    CSPI_FRAME();
    CSPI_POINT(GROUP, g);
    (void)CSP_HOOK_VALUE(take_site, NULL);
    return start_now(g, fn, arg);
}

bool csp_group_go_until(csp_group *g, member_fn fn, void *arg, int64_t at)
{
    CSPI_FRAME();
    CSPI_POINT(GROUP, g);
    const csp_site *site = CSP_HOOK_VALUE(take_site, NULL);
    return report(start(g, fn, arg, &(cspi_limit){.until = at}, site));
}

bool csp_group_go_ctx(csp_group *g, member_fn fn, void *arg, csp_ctx *ctx)
{
    CSPI_FRAME();
    CSPI_POINT(GROUP, g);
    const csp_site *site = CSP_HOOK_VALUE(take_site, NULL);
    return report(start(g, fn, arg, &(cspi_limit){.until = CSPI_NO_LIMIT, .ctx = ctx}, site));
}

// --- waiting ----------------------------------------------------------------------------------------------------------------

// As in wg.c. Caller holds the lock, which is let go meanwhile: the access may be reported.
CSPI_IN_PUBLIC void note_first_wait(csp_group *g)
{
    if (!CSP_HOOKS || g->n_active == 0 || g->noted)
        return;
    g->noted = true;
    cspi_lock_release(&g->lock);
    CSP_HOOK(write_range, &g->first_go, sizeof g->first_go);
    cspi_lock_acquire(&g->lock);
}

// Caller holds the lock. True: no function runs, and all ends are known to the caller.
static bool is_over_locked(csp_group *g)
{
    if (g->n_active)
        return false;
    CSP_HOOK(acquire, g, NULL);
    return true;
}

// 0: over; else why not.
CSPI_IN_PUBLIC int wait_for_all(csp_group *g, const cspi_limit *limit, const csp_site *site)
{
    cspi_lock_acquire(&g->lock);
    note_first_wait(g);
    visitor v = {.group = g, .granted = is_over_locked(g)};
    cspi_lock_release(&g->lock);
    if (v.granted)
        return 0;
    if (!cspi_giveup_arm(&v.giveup, limit, abandon))
        return v.giveup.why;
    cspi_lock_acquire(&g->lock);
    v.granted = !v.giveup.why && is_over_locked(g);
    if (v.giveup.why || v.granted)
        cspi_lock_release(&g->lock);
    else
        park_locked(&v, &g->waiters, CSP_WAIT_WG, limit, site);
    cspi_giveup_disarm(&v.giveup);
    return v.granted ? 0 : v.giveup.why; // NOLINT(clang-analyzer-core.StackAddressEscape): likewise
}

static int conclude(csp_group *g)
{
    csp_ctx_cancel(g->ctx);
    cspi_lock_acquire(&g->lock);
    int result = g->result;
    cspi_lock_release(&g->lock);
    return result;
}

int csp_group_wait(csp_group *g)
{
    CSPI_FRAME();
    CSPI_POINT(GROUP, g);
    const csp_site *site = CSP_HOOK_VALUE(take_site, NULL);
    wait_for_all(g, &(cspi_limit){.until = CSPI_NO_LIMIT}, site);
    return conclude(g);
}

// For the forms that may give up.
static bool deliver(csp_group *g, int why, int *result)
{
    if (why)
        return report(why);
    int r = conclude(g);
    if (result)
        *result = r;
    return true;
}

bool csp_group_wait_until(csp_group *g, int *result, int64_t at)
{
    CSPI_FRAME();
    CSPI_POINT(GROUP, g);
    const csp_site *site = CSP_HOOK_VALUE(take_site, NULL);
    return deliver(g, wait_for_all(g, &(cspi_limit){.until = at}, site), result);
}

bool csp_group_wait_ctx(csp_group *g, int *result, csp_ctx *ctx)
{
    CSPI_FRAME();
    CSPI_POINT(GROUP, g);
    const csp_site *site = CSP_HOOK_VALUE(take_site, NULL);
    return deliver(g, wait_for_all(g, &(cspi_limit){.until = CSPI_NO_LIMIT, .ctx = ctx}, site), result);
}

// --- making and freeing -----------------------------------------------------------------------------------------------------

csp_group *csp_group_new(csp_ctx *parent)
{
    CSPI_FRAME();
    (void)CSP_HOOK_VALUE(take_site, NULL);
    (void)cspi_self(); // the runtime has started
    // Not hidden from the detector: a block of the program's heap, with this call as its allocation.
    csp_group *g = malloc(sizeof *g);
    if (!g)
        cspi_fatal("out of memory: group");
    *g = (csp_group){.ctx = csp_ctx_with_cancel(parent)};
    return g;
}

csp_ctx *csp_group_ctx(csp_group *g)
{
    return g->ctx;
}

void csp_group_limit(csp_group *g, size_t n)
{
    CSPI_FRAME();
    const csp_site *site = CSP_HOOK_VALUE(take_site, NULL);
    cspi_lock_acquire(&g->lock);
    size_t active = g->n_active;
    if (!active) {
        CSP_HOOK(chan_free, g->places);
        g->places = n ? CSP_HOOK_VALUE(chan_new, NULL, g->tokens, n, 0, site) : NULL;
        g->limit = n;
        g->n_started = g->n_ended = 0;
    }
    cspi_lock_release(&g->lock);
    (void)site;
    if (active)
        csp_panic("csp_group: modify limit while %zu coroutines in the group are still active", active);
}

void csp_group_free(csp_group *g)
{
    CSPI_FRAME();
    CSPI_POINT(GROUP, g);
    (void)CSP_HOOK_VALUE(take_site, NULL);
    if (!g)
        return;
    cspi_lock_acquire(&g->lock);
    bool in_use = g->n_active || !cspi_waitq_empty(&g->waiters);
    cspi_lock_release(&g->lock);
    if (in_use)
        csp_panic("free of group in use");
    csp_ctx_free(g->ctx);
    CSP_HOOK(chan_free, g->places);
    free(g);
}
