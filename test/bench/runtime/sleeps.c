// sleeps.c - a coroutine sleeps and wakes, a thousand at a time, while a million others sleep on.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "bench.h"

enum { AT_A_TIME = 1000, PENDING = 1000000 };

static csp_wg awake;

static void sleep_often(void *times)
{
    for (long i = 0; i < (long)(intptr_t)times; i++)
        csp_sleep(100 * CSP_US);
    csp_wg_done(&awake);
}

static void never(void *unused)
{
    (void)unused;
    abort();
}

static void run(long n)
{
    csp_wg_add(&awake, AT_A_TIME);
    for (long i = 0; i < AT_A_TIME; i++)
        csp_go(sleep_often, (void *)(intptr_t)(n / AT_A_TIME));
    csp_wg_wait(&awake);
}

int main(int argc, char **argv)
{
    for (long i = 0; i < PENDING; i++)
        csp_timer_new(CSP_MINUTE + i * CSP_US, never, NULL);
    return bench(argc, argv, 500000, run);
}
