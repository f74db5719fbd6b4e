// limit.h - how a call that parks gives up: at an instant, or when a context is cancelled.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The pattern, for an object with a lock and a queue:
//     try under the lock; done, or no limit: as ever
//     if (!cspi_giveup_arm(&g, &limit, abandon)) { errno = g.why; return false; }
//     take the lock, try again, and unless g.why is set by now: queue and park
//     cspi_giveup_disarm(&g)        in every case, no lock held
//     granted ? true : (errno = g.why, false)
// where abandon(g, why) takes the object's lock and, unless the waiter has been granted what it waits for, sets g->why = why;
// if it is still queued, takes it off, releases the lock and readies it. So `why` belongs to the object's lock, and exactly
// one of the grant and the abandoning wins.
#ifndef CSP_RUNTIME_LIMIT_H
#define CSP_RUNTIME_LIMIT_H

#include "context.h"
#include "timer.h"

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CSPI_NO_LIMIT INT64_MAX

typedef struct cspi_limit {
    int64_t until; // an instant of cspi_now(); CSPI_NO_LIMIT: none
    csp_ctx *ctx;  // NULL, background: none. The caller's: it lives at least until it is cancelled
} cspi_limit;

static inline bool cspi_limit_is_none(const cspi_limit *l)
{
    return l->until == CSPI_NO_LIMIT && !l->ctx;
}

// For cspi_wait.will_wake: a timer stands behind the limit.
bool cspi_limit_will_wake(const cspi_limit *l);

enum { CSPI_GIVEUP_OPEN, CSPI_GIVEUP_BY_TIMER, CSPI_GIVEUP_BY_CTX };

// One wait that may be given up. On the waiter's stack, or wherever it lives until disarm has returned.
typedef struct cspi_giveup {
    cspi_timer timer;       // first: fire finds us
    cspi_ctx_waiter waiter; // second thing found by address, see limit.c
    void (*abandon)(struct cspi_giveup *g, int why);
    uint32_t by;   // atomic; moved from OPEN once, by the one that calls abandon
    int why;       // 0, ETIMEDOUT or ECANCELED; under the object's lock between arm and disarm
    bool has_time; // the timer was started
    bool has_ctx;  // the waiter was added
} cspi_giveup;

// Before the object's lock is taken. abandon may run from now on, at most once, on a scheduler's or a canceller's thread, with
// no lock held; it must not park. False: the limit has been reached already, g->why is set, abandon will not run and there is
// nothing to disarm.
bool cspi_giveup_arm(cspi_giveup *g, const cspi_limit *l, void (*abandon)(cspi_giveup *g, int why));
// After waking, no lock held. abandon neither runs nor will when this returns. When the context was the reason (why is set),
// what its canceller did before happens before the return.
void cspi_giveup_disarm(cspi_giveup *g);

#ifdef __cplusplus
}
#endif
#endif
