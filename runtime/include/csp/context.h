// context.h - cancellation, deadlines and request values that travel down a tree of calls, as Go's context.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A context is made from a parent; cancelling it, or its deadline passing, cancels it and everything made from it. Whoever
// works for it selects on csp_ctx_done(ctx) beside its own channels and returns when that is closed.
//
// Ownership: every function that makes a context returns one reference, the caller's; csp_ctx_ref adds one, csp_ctx_free
// drops one. A context holds its parent. The last csp_ctx_free cancels the context and releases its timer and its channel,
// so a coroutine that is handed a context and may outlive its maker takes a reference of its own.
//
// Everything here may be called from several coroutines at once, on the same context. Nothing here parks. Cancelling takes
// time in proportion to what is below the context and waits with it.
//
// Calls that park have a form that ends with a context: csp_sleep_ctx, csp_recv_ctx, csp_mutex_lock_ctx and so on.
#ifndef CSP_CONTEXT_H
#define CSP_CONTEXT_H

#include "chan.h"

#ifdef __cplusplus
extern "C" {
#endif
CSP_PUBLIC_BEGIN

typedef struct csp_ctx csp_ctx;
typedef struct csp_ctx_call csp_ctx_call;

// The root: never cancelled, no deadline, no values. One object for all; reference counting does nothing to it.
csp_ctx *csp_ctx_background(void);

// New contexts under parent (NULL: background), each the caller's to free. With a parent that is already cancelled the new
// one is born cancelled. Never NULL: out of memory is fatal.
CSP_SITE csp_ctx *csp_ctx_with_cancel(csp_ctx *parent);
// Cancelled with ETIMEDOUT ns nanoseconds from now (at once when ns <= 0), or when its parent is, whichever is first.
CSP_SITE csp_ctx *csp_ctx_with_timeout(csp_ctx *parent, int64_t ns);
// As above, at an instant of csp_now()'s clock.
CSP_SITE csp_ctx *csp_ctx_with_deadline(csp_ctx *parent, int64_t at);
// Carries value under key. Keys are compared as pointers; the address of a static variable makes a good one. Neither key nor
// value is owned. (It can be cancelled like the others; its parent is not touched by that.)
CSP_SITE csp_ctx *csp_ctx_with_value(csp_ctx *parent, const void *key, void *value);
// Knows its parent's values, but is not cancelled with it and has none of its deadlines: for what has to be finished after a
// request was given up. Cancelled by csp_ctx_cancel on itself. (context.WithoutCancel)
CSP_SITE csp_ctx *csp_ctx_without_cancel(csp_ctx *parent);

// Cancels ctx and all made from it with ECANCELED. Already cancelled, background or NULL: nothing.
CSP_SITE void csp_ctx_cancel(csp_ctx *ctx);

// As csp_ctx_cancel, with a reason of the program's own: csp_ctx_cause tells it, for ctx and what is below it. The first
// cancelling counts. cause 0: ECANCELED. (context.WithCancelCause)
CSP_SITE void csp_ctx_cancel_cause(csp_ctx *ctx, int cause);

// The channel that is closed when ctx is cancelled. It is the context's and lives as long as ctx; it has no elements. NULL,
// hence never ready, for background.
csp_chan *csp_ctx_done(csp_ctx *ctx);

// 0 while ctx is not cancelled, else ECANCELED or ETIMEDOUT. A result other than 0 happens after the cancelling.
int csp_ctx_err(csp_ctx *ctx);

// Why: 0 while ctx is not cancelled, else what csp_ctx_cancel_cause was given, of ctx or the ancestor that was cancelled, or
// what csp_ctx_err says. A result other than 0 happens after the cancelling. (context.Cause)
int csp_ctx_cause(csp_ctx *ctx);
// True: ctx will be cancelled at *at (csp_now()'s clock; at may be NULL) at the latest, by its own deadline or an ancestor's.
// False: it has no deadline, *at is untouched.
bool csp_ctx_deadline(csp_ctx *ctx, int64_t *at);

// The value that ctx, or the nearest of its ancestors that knows key, carries; NULL: none of them. One step per ancestor.
void *csp_ctx_value(csp_ctx *ctx, const void *key);

// One reference more, and ctx again.
csp_ctx *csp_ctx_ref(csp_ctx *ctx);
// One reference less; the last one cancels ctx and frees it. NULL and background: nothing.
CSP_SITE void csp_ctx_free(csp_ctx *ctx);

// Runs fn(arg) in a coroutine of its own once ctx is cancelled; at once when it is already; never for background. The call and
// the cancelling happen before fn. Free the result with csp_ctx_call_free; ctx need not live longer. (context.AfterFunc)
CSP_SITE csp_ctx_call *csp_ctx_after(csp_ctx *ctx, void (*fn)(void *), void *arg);
// True: fn was prevented. False: it was started already (it may still run), or this is not the first stop.
bool csp_ctx_call_stop(csp_ctx_call *call);
// Stops it and frees it; fn is not waited for, and may call this. NULL: nothing.
void csp_ctx_call_free(csp_ctx_call *call);

CSP_PUBLIC_END
#ifdef __cplusplus
}
#endif
#endif
