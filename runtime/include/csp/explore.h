// explore.h - runs a function over and over, in this process, each time under another schedule: for unit tests.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//     EXPECT_EQ(csp_explore(test_queue, NULL, NULL).findings, 0u);
//
// In a program built with -fsanitize=cspthread each schedule is a function of its seed: which coroutine or thread goes on at each channel,
// select, lock, atomic, timer operation, which case of a select, how long timers take. A program with a file that includes this header is
// under control from its start: one worker, virtual time (docs/schedules.md). Built without the sanitizer, fn simply runs `count` times.
//
// fn makes what it uses, and is as if it ran for the first time each time: counters that it leaves behind make its schedules depend on each
// other. What it starts may outlive its return: it goes on until all is at rest or leak_grace_ms of virtual time are over. Who then is
// still parked is reported as a leak, as at the end of a program, and never goes on.
//
// Races, leaks, deadlocks among coroutines, misused locks are reported as ever, each once, and the exploration goes on. A panic, a fatal
// error (all asleep), a crash ends the process as ever; then the last line on standard error names the seed.
#ifndef CSP_EXPLORE_H
#define CSP_EXPLORE_H

#include <stddef.h>
#include <stdint.h>

#include "site.h"

#ifdef __cplusplus
extern "C" {
#endif
CSP_PUBLIC_BEGIN

typedef struct csp_explore_options {
    const char *strategy; // random, pct, pos, urw, rr, portfolio (NULL: this)
    uint64_t seed;        // of the first schedule; schedule i has seed + i
    uint64_t count;       // of schedules; 0: 1000, or until time_ns is over
    int64_t time_ns;      // of real time after which no further schedule begins; 0: no limit
    unsigned depth;       // of the bugs that pct seeks; 0: 3
} csp_explore_options;

typedef struct csp_explore_result {
    uint64_t schedules;     // that ran, without the first one, which goes round robin and measures
    uint64_t interleavings; // of these, how many differed in more than the order of independent operations
    uint64_t failing;       // of these, how many had findings
    uint64_t findings;      // told; the same one again counts once
    uint64_t first_seed;    // the smallest with a finding, when failing > 0
    uint64_t tasks, points; // most coroutines and threads, most operations that a schedule had
    double bound;           // at least so likely the schedules that were pct's find any bug of `depth`; 0: none were
    double seconds;         // of real time
} csp_explore_result;

// Runs fn(arg); options NULL: all 0. To be called by main (its coroutine), not inside another csp_explore: panics otherwise.
// To repeat one schedule: seed and strategy as reported, count 1. Under CSPTHREAD_OPTIONS=schedule=... (csp test, csp replay) fn runs
// under that strategy and seed, once.
CSP_SITE csp_explore_result csp_explore(void (*fn)(void *arg), void *arg, const csp_explore_options *options);

#ifndef CSP_EXPLORE_UNMARKED
// How the detector knows at the program's start that it will explore.
extern char csp_explores __attribute__((weak));
char csp_explores __attribute__((weak, used)) = 1;
#endif

CSP_PUBLIC_END
#ifdef __cplusplus
}
#endif
#endif
