// yield.c - two coroutines that only give way to each other.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "bench.h"

static csp_wg done;

static void give_way(void *times)
{
    for (long i = 0; i < (long)(intptr_t)times; i++)
        csp_yield();
    csp_wg_done(&done);
}

static void run(long n)
{
    csp_wg_add(&done, 2);
    for (int i = 0; i < 2; i++)
        csp_go(give_way, (void *)(intptr_t)(n / 2));
    csp_wg_wait(&done);
}

int main(int argc, char **argv)
{
    return bench(argc, argv, 10000000, run);
}
