// yield.c - two coroutines that only give way to each other.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "bench.h"

#include <csp/csp.h>

static long n;
static csp_wg done;

static void give_way(void *unused)
{
    (void)unused;
    for (long i = 0; i < n; i++)
        csp_yield();
    csp_wg_done(&done);
}

int main(int argc, char **argv)
{
    n = operations(argc, argv, 5000000);
    double start = cpu_ns();
    csp_wg_add(&done, 2);
    for (int i = 0; i < 2; i++)
        csp_go(give_way, NULL);
    csp_wg_wait(&done);
    figure("yield", (cpu_ns() - start) / (double)(2 * n), "ns");
    return 0;
}
