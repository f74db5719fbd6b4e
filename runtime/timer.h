// timer.h - one-shot timers inside the runtime: a 4-ary heap, fired by the scheduler.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_RUNTIME_TIMER_H
#define CSP_RUNTIME_TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct csp_chan;

// Intrusive: embed it in a csp_after, a ticker, a select on a stack. Zero-initialise before first use. Nothing touches it
// once fire was called, except fire.
typedef struct cspi_timer {
    int64_t when_ns; // CLOCK_MONOTONIC
    // Runs on a scheduler thread with no lock held; must not park. It may restart the timer (tickers).
    void (*fire)(struct cspi_timer *t);
    size_t heap_index; // under the timer lock; 0: not in the heap
    const struct csp_chan
        *wakes; // the channel that fire sends to or closes; NULL: it wakes otherwise. Set before start
    // NULL, or names the channels that fire closes when they are several (contexts). For the leak check.
    void (*each_woken)(struct cspi_timer *t, void (*fn)(const struct csp_chan *c, void *arg), void *arg);
    bool idle; // fires for ever (a ticker)
} cspi_timer;

int64_t cspi_now(void);
int64_t
cspi_now_coarse(void); // the same as the kernel last noted it, some milliseconds ago at most: a third of the price
// The instant ns from now; now when ns is negative, a last instant when there is none: "for ever" is a duration too.
int64_t cspi_after_now(int64_t ns);
// Arms t, which must not be armed. Wakes a worker when t is now the earliest.
void cspi_timer_start(cspi_timer *t, int64_t when_ns, void (*fire)(cspi_timer *t));
// Disarms t. True: fire was prevented. False: not armed, or fire has run. When fire is running on another thread, waits for
// it to return, so that t's memory may be reused afterwards. Not to be called from fire itself, nor with a lock held that
// fire takes.
bool cspi_timer_stop(cspi_timer *t);

// --- for the scheduler -------------------------------------------------------------------------------------------------

// The earliest armed timer's instant, INT64_MAX without any. A moment's value, no lock.
int64_t cspi_timers_earliest(void);
// Fires what is due at `now`, the most overdue first, but only some at a time: callers come often. Called on worker loops' stacks; `firing` is the worker's own word.
void cspi_timers_run(int64_t now, const cspi_timer **firing);
// False: no armed timer will ever make a coroutine runnable, provided that all are asleep.
bool cspi_timers_may_wake(void);
// As cspi_timers_earliest, without idle timers.
int64_t cspi_timers_earliest_lively(void);
// Calls fn with every channel that an armed timer will send to or close, under the timer lock. Caller holds the contexts'.
void cspi_timers_each_channel(void (*fn)(const struct csp_chan *c, void *arg), void *arg);
// Calls fn with every armed timer, under the timer lock.
void cspi_timers_each(void (*fn)(const void *timer, void *arg), void *arg);
size_t cspi_timers_count(void);
// fork: prepare, parent; the child forgets all timers, since their coroutines are not there.
void cspi_timers_fork_lock(void);
void cspi_timers_fork_unlock(bool is_child);
// Called by timer.c, no lock held: when_ns is the new earliest instant (worker.c).
void cspi_worker_timer_earlier(int64_t when_ns);

#ifdef __cplusplus
}
#endif
#endif
