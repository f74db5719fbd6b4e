// timers_fire.c - a timer started, and its function run, of as many as there are operations.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "bench.h"

static csp_wg fired;

static void fire(void *unused)
{
    (void)unused;
    csp_wg_done(&fired);
}

// Due within the next 20 ms, in no order.
static void run(long n)
{
    csp_timer **timers = malloc((size_t)n * sizeof *timers);
    csp_wg_add(&fired, (int)n);
    for (long i = 0; i < n; i++)
        timers[i] = csp_timer_new((int64_t)((uint64_t)i * 2654435761u % 20000) * CSP_US, fire, NULL);
    csp_wg_wait(&fired);
    for (long i = 0; i < n; i++)
        csp_timer_free(timers[i]);
    free(timers);
}

int main(int argc, char **argv)
{
    return bench(argc, argv, 1000000, run);
}
