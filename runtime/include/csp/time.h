// time.h - the clock, sleeping, timeouts, tickers and timers.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Instants and durations are int64_t nanoseconds on CLOCK_MONOTONIC. What happened before a timer was created (or reset)
// happens before what it causes: the value received, the function run.
#ifndef CSP_TIME_H
#define CSP_TIME_H

#include "site.h"

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
CSP_PUBLIC_BEGIN

#define CSP_NS INT64_C(1)
#define CSP_US (1000 * CSP_NS)
#define CSP_MS (1000 * CSP_US)
#define CSP_SECOND (1000 * CSP_MS)
#define CSP_MINUTE (60 * CSP_SECOND)

typedef struct csp_chan csp_chan;
typedef struct csp_ctx csp_ctx;
typedef struct csp_ticker csp_ticker;
typedef struct csp_timer csp_timer;

// Now. Never goes back.
int64_t csp_now(void);

// Parks the caller for at least ns; ns <= 0 is csp_yield. (time.Sleep)
CSP_SITE void csp_sleep(int64_t ns);
// Parks the caller until csp_now() has reached at; csp_yield when it has.
CSP_SITE void csp_sleep_until(int64_t at);
// As csp_sleep, but ends when ctx is cancelled (NULL, background: never): false, errno is ECANCELED or ETIMEDOUT as csp_ctx_err
// says, and the cancelling happens before the return. True: ns have passed. With a cancelled ctx it does not park.
CSP_SITE bool csp_sleep_ctx(int64_t ns, csp_ctx *ctx);

// A new channel of int64_t, capacity 1, that receives the instant once ns have passed. The caller frees it with
// csp_chan_free, before or after it fired; this stops the timer. (time.After)
CSP_SITE csp_chan *csp_after(int64_t ns);

// A ticker whose channel (int64_t, capacity 1) receives the instant every ns; ticks nobody took are dropped. ns <= 0
// panics. Free it with csp_ticker_free, which also frees the channel. (time.NewTicker)
CSP_SITE csp_ticker *csp_ticker_new(int64_t ns);
csp_chan *csp_ticker_chan(csp_ticker *t);
// No more ticks; the channel is not closed, so a receiver stays parked.
void csp_ticker_stop(csp_ticker *t);
// The next tick comes ns from now, then every ns; also starts a stopped one. ns <= 0 panics.
CSP_SITE void csp_ticker_reset(csp_ticker *t, int64_t ns);
// NULL: nothing.
void csp_ticker_free(csp_ticker *t);

// Runs fn(arg) in a coroutine of its own once ns have passed. Free with csp_timer_free. (time.AfterFunc)
CSP_SITE csp_timer *csp_timer_new(int64_t ns, void (*fn)(void *), void *arg);
// True: fn was prevented. False: it was started already (it may still run) or the timer was stopped before.
bool csp_timer_stop(csp_timer *t);
// Runs fn ns from now instead of when it was to run, or again. True: the timer had been pending.
CSP_SITE bool csp_timer_reset(csp_timer *t, int64_t ns);
// Stops it and frees it; fn is not waited for. NULL: nothing.
void csp_timer_free(csp_timer *t);

CSP_PUBLIC_END
#ifdef __cplusplus
}
#endif
#endif
