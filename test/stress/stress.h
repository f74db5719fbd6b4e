// stress.h - what the stress programs share: a check that ends the process, random numbers, a time budget.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each program repeats rounds for STRESS_MS milliseconds (default 300) with CSP_MAXPROCS workers and exits 0; whatever goes
// wrong ends it otherwise: a failed check, the runtime's own checks, the deadlock message, the alarm, AddressSanitizer.
#ifndef CSP_TEST_STRESS_H
#define CSP_TEST_STRESS_H

#include <csp/csp.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CHECK(x)                                                                                                       \
    do {                                                                                                               \
        if (!(x)) {                                                                                                    \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #x);                                            \
            _exit(1);                                                                                                  \
        }                                                                                                              \
    } while (0)

// Own state per coroutine: whoever wants numbers keeps a seed.
static inline unsigned rnd(unsigned *seed, unsigned n)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (unsigned)(((unsigned long long)*seed * n) >> 32);
}

static inline void *new_zeroed(size_t size)
{
    void *p = calloc(1, size);
    CHECK(p);
    return p;
}

// Repeats round(number) until the time is over; everything it started has ended by then.
static inline void repeat(void (*round)(unsigned i))
{
    alarm(60);
    (void)csp_id(); // starts the runtime here, before a thread does: main is then scheduled like any coroutine
    const char *ms = getenv("STRESS_MS");
    int64_t until = csp_now() + (ms ? atoi(ms) : 300) * CSP_MS;
    unsigned n = 0;
    do
        round(n++);
    while (csp_now() < until);
    for (int tries = 0; csp_count() > 1; tries++) {
        CHECK(tries < 20000);
        csp_sleep(CSP_MS / 2);
    }
    printf("%u rounds\n", n);
}

#endif
