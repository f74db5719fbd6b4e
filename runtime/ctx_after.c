// ctx_after.c - a function that runs when a context is cancelled.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A waiter of the context whose call starts a coroutine. The coroutine is ordered after both sides: it begins with what the
// caller of csp_ctx_after knew (and shows that call as its creation), and then acquires what the canceller knew.
// Lifetime: two references, the owner's and, from the call on, the coroutine's. The canceller needs none: the owner's stop waits
// for it.
// See: Go's context.AfterFunc
#include "base/atomic.h"
#include "context.h"
#include "hooks.h"
#include "panic.h"
#include "sched.h"

#include <stdlib.h>

struct csp_ctx_call {
    cspi_ctx_waiter waiter; // first: its call gets its address
    bool is_added;
    uint32_t refs; // atomic
    void (*fn)(void *);
    void *arg;
    void *snapshot; // of the caller of csp_ctx_after
};

static void drop(csp_ctx_call *c)
{
    if (__atomic_fetch_sub(&c->refs, 1, __ATOMIC_ACQ_REL) != 1)
        return;
    if (c->is_added)
        cspi_ctx_waiter_fini(&c->waiter, false);
    CSP_HOOK(snapshot_free, c->snapshot);
    CSP_HOOK(ignore_begin);
    free(c);
    CSP_HOOK(ignore_end);
}

// The coroutine. fn may end it with csp_exit, so our part is done before.
static void run_call(void *call)
{
    csp_ctx_call *c = call;
    void (*fn)(void *) = c->fn;
    void *arg = c->arg;
    if (c->is_added)
        CSP_HOOK(snapshot_acquire, c->waiter.snapshot, NULL);
    drop(c);
    fn(arg);
}

static void start_call(csp_ctx_call *c)
{
    csp_add_rlx(&c->refs, 1); // relaxed: the owner's reference keeps it alive
    cspi_go_from(run_call, c, c->snapshot);
}

static void on_cancel(cspi_ctx_waiter *w, int err)
{
    (void)err;
    start_call((csp_ctx_call *)w);
}

csp_ctx_call *csp_ctx_after(csp_ctx *ctx, void (*fn)(void *), void *arg)
{
    CSPI_FRAME();
    CSPI_POINT(CONTEXT, ctx);
    (void)CSP_HOOK_VALUE(take_site, NULL);
    (void)cspi_self(); // the runtime has started
    CSP_HOOK(ignore_begin);
    csp_ctx_call *c = malloc(sizeof *c);
    CSP_HOOK(ignore_end);
    if (!c)
        cspi_fatal("out of memory: context function");
    *c = (csp_ctx_call){.refs = 1, .fn = fn, .arg = arg};
    c->snapshot = CSP_HOOK_VALUE(snapshot_new, NULL);
    c->is_added = true;
    bool added;
    int err = cspi_ctx_waiter_add(ctx, &c->waiter, on_cancel, &added);
    if (added)
        return c; // from here on it may run
    c->is_added = false;
    if (err) { // cancelled already, as we now know
        CSP_HOOK(snapshot_free, c->snapshot);
        c->snapshot = CSP_HOOK_VALUE(snapshot_new, NULL);
        start_call(c);
    }
    return c;
}

bool csp_ctx_call_stop(csp_ctx_call *c)
{
    return c->is_added && cspi_ctx_waiter_remove(&c->waiter);
}

void csp_ctx_call_free(csp_ctx_call *c)
{
    if (!c)
        return;
    csp_ctx_call_stop(c);
    drop(c);
}
