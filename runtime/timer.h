// timer.h - one-shot timers inside the runtime: a 4-ary heap, fired by the scheduler.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_RUNTIME_TIMER_H
#define CSP_RUNTIME_TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Intrusive: embed it in a csp_after, a ticker, a select on a stack. Zero-initialise before first use.
typedef struct cspi_timer {
    int64_t when_ns; // CLOCK_MONOTONIC
    // Runs on a scheduler thread with no lock held; must not park. It may restart the timer (tickers).
    void (*fire)(struct cspi_timer *t);
    size_t heap_index; // under the timer lock; 0: not in the heap
    bool idle;         // wakes nobody by itself (an abandoned csp_after, a ticker): does not keep a deadlock from being seen
    bool firing;       // under the timer lock: fire is running
} cspi_timer;

int64_t cspi_now(void);
// Arms t, which must not be armed. Wakes a worker when t is now the earliest.
void cspi_timer_start(cspi_timer *t, int64_t when_ns, void (*fire)(cspi_timer *t));
// Disarms t. True: fire was prevented. False: not armed, or fire has run. When fire is running on another thread, waits for
// it to return, so that t's memory may be reused afterwards. Not to be called from fire itself, nor with a lock held that
// fire takes.
bool cspi_timer_stop(cspi_timer *t);

#endif
