// timers.c - a timer started and stopped, while a million others are pending.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "bench.h"

enum { PENDING = 1000000 };

static void never(void *unused)
{
    (void)unused;
    abort();
}

// Instants all over the next hour, as those of a million connections' timeouts would be.
static int64_t some_time(long i)
{
    return CSP_MINUTE + (int64_t)((uint64_t)i * 2654435761u % 3600) * CSP_SECOND;
}

static void run(long n)
{
    for (long i = 0; i < n; i++) {
        csp_timer *t = csp_timer_new(some_time(i), never, NULL);
        csp_timer_stop(t);
        csp_timer_free(t);
    }
}

int main(int argc, char **argv)
{
    for (long i = 0; i < PENDING; i++)
        csp_timer_new(some_time(i), never, NULL);
    return bench(argc, argv, 2000000, run);
}
