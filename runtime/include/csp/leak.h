// leak.h - coroutines that nobody will wake: checked for when asked, in a running program and in tests.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Under -fsanitize=cspthread a verdict is a proof: *stuck* is who waits on something that nothing which can still run can
// reach, not over variables, stacks, heap blocks, timers or descriptors (Go 1.27's goroutineleak profile; GOLF, ASPLOS 2025).
// In other builds nobody can say so: coroutines are only found parked. At the end of the process the detector checks by itself.
#ifndef CSP_LEAK_H
#define CSP_LEAK_H

#include "site.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
CSP_PUBLIC_BEGIN

typedef enum csp_leak_verdict {
    CSP_LEAK_PARKED, // waits, and somebody might wake it; always so in builds without the sanitizer
    CSP_LEAK_STUCK,  // will never be woken
} csp_leak_verdict;

// Coroutines with one verdict, parked at one place, created at one place.
typedef struct csp_leak {
    csp_leak_verdict verdict;
    size_t count;
    uint64_t first_id;  // of one of them
    int64_t longest_ns; // for how long the first of them has been parked
    size_t bytes;       // of memory that they keep: stacks, and with the sanitizer heap blocks that only they can reach
    const char *waiting; // "chan send", "sync.Mutex.Lock", ...
    // The program's function that parks, and where; the one that created them. "" and 0 where not known.
    char function[64], created_by[64];
    char file[128];
    unsigned line;
} csp_leak;

// What to look at and what to leave out. Zero: everything. Patterns are as in suppression files: a part of the function's name,
// `*` any characters, `^` and `$` its ends; without the sanitizer, a part of it. Lists end with NULL. (goleak's options)
typedef struct csp_leak_options {
    bool print; // write a report for each group on standard error; with the sanitizer it counts for the exit status
    bool parked_too;               // csp_leak_check: also coroutines that might still be woken
    int64_t grace_ns;              // csp_leak_check_scope: how long coroutines may take to come to rest; 0: a second
    uint64_t since_id;             // only coroutines that were started after the csp_leak_mark() that returned this
    const char *const *ignore_top; // functions that park
    const char *const *ignore_any; // functions anywhere on the stack
    const char *const *ignore_created_by; // functions that call csp_go
} csp_leak_options;

// Looks for coroutines that are stuck; daemons, main and pthreads are none. options NULL: none. The first max groups are put into
// out, the longest wait first. Returns how many coroutines were found. The program is held still for as long as it takes to look
// (docs/performance.md), not while findings are named and written. Does not park; one caller at a time, others wait.
size_t csp_leak_check(const csp_leak_options *options, csp_leak *out, size_t max);

// Runs fn(arg) in the calling coroutine, then looks at the coroutines that were started inside, by these too, and have not ended:
// whoever started them, other tests that run meanwhile have no part in it. Returns as soon as all have ended, or all of the
// program's other coroutines are parked for good; else after grace_ns. Found are those that are parked then, stuck or not; one
// that can still run is not. Membership is inherited like labels (it is one: "csp.scope"). Parks. (goleak.VerifyNone)
size_t csp_leak_check_scope(void (*fn)(void *), void *arg, const csp_leak_options *options, csp_leak *out, size_t max);

// For csp_leak_options.since_id: coroutines that exist now are left out. (goleak.IgnoreCurrent)
uint64_t csp_leak_mark(void);

CSP_PUBLIC_END
#ifdef __cplusplus
}
#endif
#endif
