// context.c - a tree of contexts; cancelling one cancels what is below it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One lock guards all trees: they change rarely, and a subtree is then walked and cancelled without taking a lock per node.
// A node holds a reference to its parent, so a parent outlives its children and the walk needs no references of its own.
//
// A deadline is a runtime timer. When it fires it starts a coroutine that does the cancelling (as Go's AfterFunc does): a
// scheduler thread is no place for it, and the detector sees an ordinary coroutine that began where the timer was made. A
// child whose deadline is not before its parent's gets no timer: the parent's cancels it.
//
// Locks       tree_lock is the outermost of the runtime's: channels are closed, timers started and stopped under it. A timer
//             that fires therefore does not take it, it only starts a coroutine.
// Waiters     (context.h) are moved from the nodes to a list of the canceller's under the lock, and called one by one without
//             it. While one is called it is CALLING; its owner's remove waits for the canceller's last word, OVER.
// Freeing     The last reference cancels, stops the timer - which waits for a fire in progress - and frees. So fire may look
//             at the node, but has to take its reference from a count that may already be 0.
// Ordering    E1 cancel: store-release of err -> csp_ctx_err: load-acquire; carries what the canceller did before.
//             E2 csp_ctx_free: release half of the decrement -> the last csp_ctx_free: acquire half; carries each user's last use.
//             E3 a waiter's call: store-release of OVER -> cspi_ctx_waiter_remove: load-acquire; carries what the call did.
#include "csp/context.h"

#include "base/atomic.h"
#include "chan.h"
#include "context.h"
#include "csp/go.h"
#include "panic.h"
#include "timer.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>

struct csp_ctx {
    cspi_timer timer; // first, so that fire finds the context; armed only when has_timer
    // --- immutable after it was made
    csp_ctx *parent; // referenced; NULL: background
    csp_chan *done;
    const void *key;
    void *value;
    int64_t deadline_ns; // NO_DEADLINE: none
    bool has_timer;
    bool is_apart;  // its parent's cancelling does not reach it
    void *snapshot; // what the maker of the timer knew; NULL without one
    // --- atomic
    uint64_t refs; // E2
    int64_t err;   // E1; written under tree_lock
    int cause;     // written before err
    // --- under tree_lock
    cspi_ctx_waiter *waiters;
    csp_ctx *children;
    csp_ctx *next, *prev; // siblings
};

#define NO_DEADLINE INT64_MAX

static csp_ctx background;
static cspi_lock tree_lock;

// What a canceller brings.
typedef struct cancellation {
    int err;
    int cause;
    cspi_ctx_waiter *called; // those to be called; under tree_lock
} cancellation;

static bool is_background(const csp_ctx *ctx)
{
    return !ctx || ctx == &background;
}

// Among the children of its parent.
static bool is_linked(const csp_ctx *ctx)
{
    return !is_background(ctx->parent) && !ctx->is_apart;
}

// --- the tree -------------------------------------------------------------------------------------------------------------

static void link_locked(csp_ctx *ctx)
{
    csp_ctx *parent = ctx->parent;
    ctx->next = parent->children;
    if (ctx->next)
        ctx->next->prev = ctx;
    parent->children = ctx;
}

static void unlink_locked(csp_ctx *ctx)
{
    if (ctx->prev)
        ctx->prev->next = ctx->next;
    else
        ctx->parent->children = ctx->next;
    if (ctx->next)
        ctx->next->prev = ctx->prev;
}

// The node after ctx in the subtree of root, parents before children; NULL: that was the last.
static csp_ctx *next_in_subtree_locked(csp_ctx *root, csp_ctx *ctx)
{
    if (ctx->children)
        return ctx->children;
    while (ctx != root && !ctx->next)
        ctx = ctx->parent;
    return ctx == root ? NULL : ctx->next;
}

// --- waiters --------------------------------------------------------------------------------------------------------------

static void push_waiter_locked(cspi_ctx_waiter **list, cspi_ctx_waiter *w)
{
    w->next = *list;
    w->link = list;
    if (w->next)
        w->next->link = &w->next;
    *list = w;
}

static void unlink_waiter_locked(cspi_ctx_waiter *w)
{
    *w->link = w->next;
    if (w->next)
        w->next->link = w->link;
}

int cspi_ctx_waiter_add(csp_ctx *ctx, cspi_ctx_waiter *w, void (*cancelled)(cspi_ctx_waiter *w, int err), bool *added)
{
    *added = false;
    if (is_background(ctx))
        return 0;
    w->cancelled = cancelled;
    w->snapshot = NULL;
    w->state = CSPI_CTX_WAITING;
    cspi_lock_acquire(&tree_lock);
    int err = (int)csp_load_rlx(&ctx->err); // relaxed: written under tree_lock only
    if (!err) {
        push_waiter_locked(&ctx->waiters, w);
        *added = true;
    }
    cspi_lock_release(&tree_lock);
    if (err)
        CSP_HOOK(acquire, &ctx->err, NULL);
    return err;
}

bool cspi_ctx_waiter_remove(cspi_ctx_waiter *w)
{
    if (csp_load_acq(&w->state) == CSPI_CTX_OVER) // E3
        return false;
    cspi_lock_acquire(&tree_lock);
    bool prevented = csp_load_rlx(&w->state) == CSPI_CTX_WAITING; // relaxed: left under tree_lock only
    if (prevented) {
        unlink_waiter_locked(w);
        csp_store_rlx(&w->state, (uint32_t)CSPI_CTX_OVER); // relaxed: nothing was done that would have to be seen
    }
    cspi_lock_release(&tree_lock);
    while (csp_load_acq(&w->state) != CSPI_CTX_OVER) // E3
        sched_yield();                               // the call does not park
    return prevented;
}

void cspi_ctx_waiter_fini(cspi_ctx_waiter *w, bool acquire)
{
    if (acquire)
        CSP_HOOK(snapshot_acquire, w->snapshot, NULL);
    CSP_HOOK(snapshot_free, w->snapshot);
    (void)w, (void)acquire;
}

// The tree lets go of the waiters' memory with the last store to each.
static void call_waiters(cancellation *c)
{
    for (;;) {
        cspi_lock_acquire(&tree_lock);
        cspi_ctx_waiter *w = c->called;
        if (w) {
            unlink_waiter_locked(w);
            csp_store_rlx(&w->state, (uint32_t)CSPI_CTX_CALLING); // relaxed: under tree_lock
        }
        cspi_lock_release(&tree_lock);
        if (!w)
            return;
        w->snapshot = CSP_HOOK_VALUE(snapshot_new, NULL);
        bool is_over = !w->is_the_calls;
        w->cancelled(w, w->err);
        if (is_over)
            csp_store_rel(&w->state, (uint32_t)CSPI_CTX_OVER); // E3
    }
}

// --- cancelling -----------------------------------------------------------------------------------------------------------

// One node. Whoever sees err, or done closed, knows what we know now. Nobody can free the node before we let go of the tree.
static void cancel_node_locked(csp_ctx *ctx, cancellation *c)
{
    if (csp_load_rlx(&ctx->err)) // relaxed: written under tree_lock only
        return;
    ctx->cause = c->cause;
    CSP_HOOK(release, &ctx->err, NULL);
    csp_store_rel(&ctx->err, (int64_t)c->err); // E1
    cspi_chan_close(ctx->done);
    for (cspi_ctx_waiter *w; (w = ctx->waiters);) {
        unlink_waiter_locked(w);
        w->err = c->err;
        push_waiter_locked(&c->called, w);
    }
    if (ctx->has_timer)
        cspi_timer_stop(&ctx->timer); // nothing left for it to do: it should not keep a deadlock from being seen
}

static void cancel_subtree(csp_ctx *root, int err, int cause)
{
    cancellation c = {.err = err, .cause = cause};
    cspi_lock_acquire(&tree_lock);
    // A cancelled node's subtree is cancelled already: new children of it are born so.
    if (!csp_load_rlx(&root->err)) // relaxed: written under tree_lock only
        for (csp_ctx *ctx = root; ctx; ctx = next_in_subtree_locked(root, ctx))
            cancel_node_locked(ctx, &c);
    bool any = c.called;
    cspi_lock_release(&tree_lock);
    if (any)
        call_waiters(&c);
}

bool cspi_ctx_try_ref(csp_ctx *ctx)
{
    uint64_t refs = csp_load_rlx(&ctx->refs); // relaxed: a guess for the exchange
    while (refs)
        if (csp_cas_acqrel(&ctx->refs, &refs, refs + 1))
            return true;
    return false;
}

static void cancel_expired(void *arg)
{
    csp_ctx *ctx = arg;
    cancel_subtree(ctx, ETIMEDOUT, ETIMEDOUT);
    csp_ctx_free(ctx);
}

// Runs on a scheduler thread.
static void fire_deadline(cspi_timer *t)
{
    csp_ctx *ctx = (csp_ctx *)t;
    if (cspi_ctx_try_ref(ctx)) // else it is being freed, and waits for us to return
        cspi_go_from(cancel_expired, ctx, ctx->snapshot);
}

void csp_ctx_cancel(csp_ctx *ctx)
{
    CSPI_FRAME();
    CSPI_POINT(CANCEL, ctx);
    (void)CSP_HOOK_VALUE(take_site, NULL);
    if (is_background(ctx))
        return;
    cancel_subtree(ctx, ECANCELED, ECANCELED);
}

void csp_ctx_cancel_cause(csp_ctx *ctx, int cause)
{
    CSPI_FRAME();
    CSPI_POINT(CANCEL, ctx);
    (void)CSP_HOOK_VALUE(take_site, NULL);
    if (is_background(ctx))
        return;
    cancel_subtree(ctx, ECANCELED, cause ? cause : ECANCELED);
}

// --- making ---------------------------------------------------------------------------------------------------------------

// Links ctx under its parent and starts its timer, or cancels it when the parent already is.
static void join_tree(csp_ctx *ctx)
{
    cspi_lock_acquire(&tree_lock);
    int64_t err = 0;
    if (is_linked(ctx)) {
        link_locked(ctx);
        err = csp_load_rlx(&ctx->parent->err); // relaxed: written under tree_lock only
    }
    if (err) {
        CSP_HOOK(acquire, &ctx->parent->err, NULL); // born cancelled: by the parent's canceller
        cancellation c = {.err = (int)err, .cause = ctx->parent->cause};
        cancel_node_locked(ctx, &c); // nobody waits for it yet
    } else if (ctx->has_timer) {
        cspi_timer_start(&ctx->timer, ctx->deadline_ns, fire_deadline);
    }
    cspi_lock_release(&tree_lock);
}

static void each_channel_locked(csp_ctx *root, void (*fn)(const csp_chan *c, void *arg), void *arg)
{
    for (csp_ctx *ctx = root; ctx; ctx = next_in_subtree_locked(root, ctx))
        fn(ctx->done, arg);
}

// The deadline closes the done channels of the whole subtree, so nobody parked on one of them leaks. Caller of
// cspi_timers_each_channel holds tree_lock.
static void each_woken(cspi_timer *t, void (*fn)(const csp_chan *c, void *arg), void *arg)
{
    each_channel_locked((csp_ctx *)t, fn, arg);
}

void cspi_ctx_each_channel(csp_ctx *ctx, void (*fn)(const csp_chan *c, void *arg), void *arg)
{
    cspi_lock_acquire(&tree_lock);
    each_channel_locked(ctx, fn, arg);
    cspi_lock_release(&tree_lock);
}

// What distinguishes one context from another when it is made.
typedef struct making {
    int64_t deadline_ns;
    const void *key;
    void *value;
    bool is_apart;
} making;

static csp_ctx *make(csp_ctx *parent, making m, const csp_site *site)
{
    if (!parent)
        parent = &background;
    csp_ctx *ctx = malloc(sizeof *ctx);
    if (!ctx)
        cspi_fatal("out of memory: context");
    int64_t inherited = is_background(parent) || m.is_apart ? NO_DEADLINE : parent->deadline_ns;
    bool is_sooner = m.deadline_ns < inherited;
    bool is_over = is_sooner && m.deadline_ns <= cspi_now();
    bool has_timer = is_sooner && !is_over;
    if (has_timer)
        (void)cspi_self(); // timers need a runtime
    *ctx = (csp_ctx){.parent = csp_ctx_ref(parent),
                     .done = cspi_chan_new(0, 0, site),
                     .key = m.key,
                     .value = m.value,
                     .deadline_ns = is_sooner ? m.deadline_ns : inherited,
                     .has_timer = has_timer,
                     .is_apart = m.is_apart,
                     .timer.each_woken = each_woken,
                     .snapshot = has_timer ? CSP_HOOK_VALUE(snapshot_new, NULL) : NULL,
                     .refs = 1};
    join_tree(ctx);
    if (is_over)
        cancel_subtree(ctx, ETIMEDOUT, ETIMEDOUT);
    return ctx;
}

void cspi_contexts_lock(void)
{
    cspi_lock_acquire(&tree_lock);
}

void cspi_contexts_unlock(void)
{
    cspi_lock_release(&tree_lock);
}

csp_ctx *csp_ctx_background(void)
{
    return &background;
}

csp_ctx *cspi_ctx_with_cancel(csp_ctx *parent, const csp_site *site)
{
    return make(parent, (making){.deadline_ns = NO_DEADLINE}, site);
}

csp_ctx *csp_ctx_with_cancel(csp_ctx *parent)
{
    CSPI_FRAME();
    CSPI_POINT(CONTEXT, parent);
    return cspi_ctx_with_cancel(parent, CSP_HOOK_VALUE(take_site, NULL));
}

csp_ctx *csp_ctx_with_deadline(csp_ctx *parent, int64_t at)
{
    CSPI_FRAME();
    CSPI_POINT(CONTEXT, parent);
    return make(parent, (making){.deadline_ns = at}, CSP_HOOK_VALUE(take_site, NULL));
}

csp_ctx *csp_ctx_with_timeout(csp_ctx *parent, int64_t ns)
{
    CSPI_FRAME();
    CSPI_POINT(CONTEXT, parent);
    const csp_site *site = CSP_HOOK_VALUE(take_site, NULL);
    int64_t now = cspi_now(), at;
    if (__builtin_add_overflow(now, ns, &at))
        at = ns < 0 ? now : NO_DEADLINE;
    return make(parent, (making){.deadline_ns = at}, site);
}

csp_ctx *csp_ctx_with_value(csp_ctx *parent, const void *key, void *value)
{
    CSPI_FRAME();
    return make(parent, (making){.deadline_ns = NO_DEADLINE, .key = key, .value = value},
                CSP_HOOK_VALUE(take_site, NULL));
}

csp_ctx *csp_ctx_without_cancel(csp_ctx *parent)
{
    CSPI_FRAME();
    return make(parent, (making){.deadline_ns = NO_DEADLINE, .is_apart = true}, CSP_HOOK_VALUE(take_site, NULL));
}

// --- asking ---------------------------------------------------------------------------------------------------------------

csp_chan *csp_ctx_done(csp_ctx *ctx)
{
    return is_background(ctx) ? NULL : ctx->done;
}

int csp_ctx_err(csp_ctx *ctx)
{
    CSPI_FRAME();
    CSPI_POINT(CONTEXT, ctx);
    if (is_background(ctx))
        return 0;
    int err = (int)csp_load_acq(&ctx->err); // E1
    if (err)
        CSP_HOOK(acquire, &ctx->err, NULL);
    return err;
}

int csp_ctx_cause(csp_ctx *ctx)
{
    CSPI_FRAME();
    CSPI_POINT(CONTEXT, ctx);
    if (is_background(ctx) || !csp_load_acq(&ctx->err)) // E1
        return 0;
    CSP_HOOK(acquire, &ctx->err, NULL);
    return ctx->cause;
}

bool csp_ctx_deadline(csp_ctx *ctx, int64_t *at)
{
    if (is_background(ctx) || ctx->deadline_ns == NO_DEADLINE)
        return false;
    if (at)
        *at = ctx->deadline_ns;
    return true;
}

void *csp_ctx_value(csp_ctx *ctx, const void *key)
{
    for (; key && !is_background(ctx); ctx = ctx->parent)
        if (ctx->key == key)
            return ctx->value;
    return NULL;
}

// --- references -----------------------------------------------------------------------------------------------------------

csp_ctx *csp_ctx_ref(csp_ctx *ctx)
{
    if (!is_background(ctx))
        csp_add_rlx(&ctx->refs, 1); // relaxed: the caller's own reference keeps it alive
    return ctx;
}

// The last reference is gone: nobody but a firing timer and the tree knows ctx any more.
static void destroy(csp_ctx *ctx)
{
    cancel_subtree(ctx, ECANCELED, ECANCELED);
    if (ctx->has_timer)
        cspi_timer_stop(&ctx->timer);
    if (is_linked(ctx)) {
        cspi_lock_acquire(&tree_lock);
        unlink_locked(ctx);
        cspi_lock_release(&tree_lock);
    }
    CSP_HOOK(snapshot_free, ctx->snapshot);
    cspi_chan_free(ctx->done);
    free(ctx);
}

// Drops one reference; true: it was the last.
static bool drop(csp_ctx *ctx)
{
    CSP_HOOK(release_merge, &ctx->refs, NULL);
    if (__atomic_fetch_sub(&ctx->refs, 1, __ATOMIC_ACQ_REL) != 1) // E2
        return false;
    CSP_HOOK(acquire, &ctx->refs, NULL);
    return true;
}

void csp_ctx_free(csp_ctx *ctx)
{
    CSPI_FRAME();
    CSPI_POINT(CANCEL, ctx);
    (void)CSP_HOOK_VALUE(take_site, NULL);
    while (!is_background(ctx) && drop(ctx)) { // a loop, since the last child takes its parent along
        csp_ctx *parent = ctx->parent;
        destroy(ctx);
        ctx = parent;
    }
}
