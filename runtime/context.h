// context.h - contexts from inside: the lock of all trees, and those who want to be called when one is cancelled.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Order of the runtime's global locks: this one, a channel's, cspi_sched.lock, the timers', the stacks'.
#ifndef CSP_RUNTIME_CONTEXT_H
#define CSP_RUNTIME_CONTEXT_H

#include "csp/context.h"

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Before the scheduler's and the timers' locks, for those who need them all.
void cspi_contexts_lock(void);
void cspi_contexts_unlock(void);

// Wants to be called once when a context is cancelled. Its memory is the tree's and the
// canceller's until cspi_ctx_waiter_remove has returned.
// States: who may touch it.
//   WAITING  in a context's list, or in that of a canceller who has taken it from there; under the trees' lock
//   CALLING  the canceller alone, which runs `cancelled`
//   OVER     the owner alone
enum { CSPI_CTX_WAITING, CSPI_CTX_CALLING, CSPI_CTX_OVER };

typedef struct cspi_ctx_waiter {
    // --- under the trees' lock
    struct cspi_ctx_waiter *next;
    struct cspi_ctx_waiter **link; // what points to us
    uint32_t state;                // atomic
    int err;                       // what the context was cancelled with
    // --- the owner's, before; the canceller's, while CALLING
    bool is_the_calls; // `cancelled` frees it; nobody removes it
    // Runs in the canceller's coroutine or thread, which the detector takes for its maker; no lock is held; must not park.
    void (*cancelled)(struct cspi_ctx_waiter *w, int err);
    void *snapshot; // what the canceller knew
} cspi_ctx_waiter;

// 0: `cancelled` will be called when ctx is cancelled, *added is set; NULL and background: never, and *added is not set. Else ctx
// is cancelled: the error, acquired; nothing was added. ctx may be freed at any time from then on: that cancels it.
int cspi_ctx_waiter_add(csp_ctx *ctx, cspi_ctx_waiter *w, void (*cancelled)(cspi_ctx_waiter *w, int err), bool *added);
// `cancelled` neither runs nor will when this returns. True: this call prevented it. May be called again, and by several. Not
// from `cancelled`, nor with a lock held that it takes.
bool cspi_ctx_waiter_remove(cspi_ctx_waiter *w);
// After that: what the canceller knew, if there was one, happens before the return (`acquire`) and is forgotten.
void cspi_ctx_waiter_fini(cspi_ctx_waiter *w, bool acquire);

// As csp_ctx_with_cancel, inside another call.
csp_ctx *cspi_ctx_with_cancel(csp_ctx *parent, const struct csp_site *site);
// One reference more, unless the last is gone already: false. The memory of ctx is known to be there.
bool cspi_ctx_try_ref(csp_ctx *ctx);
// Calls fn with the done channels of ctx and all below it, under the contexts' lock.
void cspi_ctx_each_channel(csp_ctx *ctx, void (*fn)(const csp_chan *c, void *arg), void *arg);

#ifdef __cplusplus
}
#endif
#endif
