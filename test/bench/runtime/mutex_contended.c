// mutex_contended.c - a mutex that four coroutines want all the time: one pair of lock and unlock per operation.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "bench.h"

enum { COROUTINES = 4 };

static csp_wg done;

// Beside each other, as what a mutex guards mostly is.
static struct {
    csp_mutex m;
    long counter;
} shared __attribute__((aligned(64)));

static void contend(void *n)
{
    for (long i = 0; i < (long)(intptr_t)n; i++) {
        csp_mutex_lock(&shared.m);
        shared.counter++;
        csp_mutex_unlock(&shared.m);
    }
    csp_wg_done(&done);
}

static void run(long n)
{
    csp_wg_add(&done, COROUTINES);
    for (int k = 0; k < COROUTINES; k++)
        csp_go(contend, (void *)(intptr_t)(n / COROUTINES));
    csp_wg_wait(&done);
}

int main(int argc, char **argv)
{
    return bench(argc, argv, 4000000, run);
}
