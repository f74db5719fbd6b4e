// many.c - many leaked coroutines are one finding, and ten times as many take about ten times as long to look at.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace --procs=2 --options='detect_leaks=0' %s
// RUN: %if full %{ %check_norace --procs=2 --options='detect_leaks=0' --levels=O1 --runs=1 --args=10000 %s %}
#include <csp/csp.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define EXPECT(x)                                                                                                      \
    do {                                                                                                               \
        if (!(x)) {                                                                                                    \
            fprintf(stderr, "line %d: %s\n", __LINE__, #x);                                                            \
            exit(1);                                                                                                   \
        }                                                                                                              \
    } while (0)

static csp_wg parking;

static void waits(void *ch)
{
    csp_wg_done(&parking);
    csp_send(ch, NULL);
}

__attribute__((noinline)) static void start(size_t n)
{
    csp_wg_add(&parking, (int)n);
    for (size_t i = 0; i < n; i++)
        csp_go(waits, csp_chan_new(0, 0));
    csp_wg_wait(&parking);
}

// Processor time, which others on the machine have less part in. It may be on another thread by then, but not within a check.
static int64_t used(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

// The quickest of a few; all n are there, in one group.
static int64_t look(size_t n)
{
    csp_leak leaks[2] = {{0}};
    int64_t best = INT64_MAX;
    csp_leak_options all = {.parked_too = true};
    while (csp_leak_check(&all, leaks, 2) < n) // the last ones have not parked yet
        csp_yield();
    for (int i = 0; i < 5; i++) {
        leaks[1].count = 0;
        int64_t begin = used();
        size_t found = csp_leak_check(NULL, leaks, 2);
        int64_t took = used() - begin;
        best = took < best ? took : best;
        EXPECT(found + 8 >= n && found <= n); // a stale word on main's stack may lead to one of them
        EXPECT(leaks[0].count == found && leaks[0].verdict == CSP_LEAK_STUCK && leaks[1].count == 0);
    }
    return best;
}

int main(int argc, char **argv)
{
    size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : 2000;
    int64_t took[2];
    for (int i = 0; i < 2; i++) { // one line that starts them all
        start(i ? 9 * n : n);
        took[i] = look(i ? 10 * n : n);
    }
    int64_t few = took[0], many = took[1];
    if (argc > 1)
        printf("%zu: %ld us, %zu: %ld us\n", n, (long)(few / 1000), 10 * n, (long)(many / 1000));
    EXPECT(many < 40 * few);
    return 0;
}
