// inside.h - seeing inside a running program: all coroutines with their stacks, and counts.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_INSIDE_H
#define CSP_INSIDE_H

#include "site.h"

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
CSP_PUBLIC_BEGIN

// Writes to the descriptor every coroutine: number, name, labels, state, what it waits on and for how long, stack, and where
// it was created. The first thousand one by one, the others counted by equal stacks. The program goes on; coroutines are
// held for as long as it takes to look at them, not while the text is written. One that computes for more than 20 ms
// meanwhile is listed as running, its stack taken by a signal (SIGURG, unless the program handles that one): a system call
// that it is in may fail with EINTR. May be called from coroutines and pthreads, by several at once; does not park. Write
// errors are not reported. Under the detector the stacks are the physical ones, too. (runtime.Stack, pprof's goroutine)
void csp_dump(int fd);

// Counts since the start, moments' values: each is right, but they are not all of one instant. Per-worker counts are summed.
typedef struct csp_stats {
    uint64_t live;           // coroutines that have not ended, main included
    uint64_t created;        // coroutines, ever; main and pthreads that called in included
    uint64_t ended;          // of these
    uint64_t switches;       // times that a worker ran a coroutine
    uint64_t parks;          // times that a coroutine parked
    uint64_t steals;         // times that a worker took work from another
    uint64_t handovers;      // times that a worker was replaced, since it was in a blocking call or computed for long
    uint64_t runnable;       // coroutines in run queues
    uint64_t workers;        // threads that run coroutines, at work or idle
    uint64_t workers_idle;   // of these
    uint64_t workers_stuck;  // of these, in blocking calls or computing while others wait
    uint64_t maxprocs;       // how many may work at once
    uint64_t threads;        // of the process
    uint64_t timers_pending; // sleeps and timeouts included
    uint64_t descriptors;    // that the netpoller watches
    uint64_t stacks_mapped_bytes; // address space of coroutines' stacks; memory is used only where they were touched
    uint64_t stacks_free;         // of these stacks, kept for coroutines to come
    int64_t uptime_ns;            // since the first call into the runtime
} csp_stats;

// Fills in *stats. Does not park, takes no lock for longer than a few instructions. (runtime/metrics)
void csp_stats_get(csp_stats *stats);

// The same, and the coroutines that are parked by what they wait for, in Prometheus' text format: at most n bytes into buf,
// ending with a zero unless n is 0. Returns how long the whole text is, as snprintf does. Walks all coroutines: a few
// nanoseconds each. Does not park.
size_t csp_stats_prometheus(char *buf, size_t n);

CSP_PUBLIC_END
#ifdef __cplusplus
}
#endif
#endif
