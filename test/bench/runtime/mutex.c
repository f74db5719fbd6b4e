// mutex.c - locking and unlocking a mutex that nobody else wants.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "bench.h"

// Beside each other, as what a mutex guards mostly is.
static struct {
    csp_mutex m;
    long counter;
} shared __attribute__((aligned(64)));

static void run(long n)
{
    for (long i = 0; i < n; i++) {
        csp_mutex_lock(&shared.m);
        shared.counter++;
        csp_mutex_unlock(&shared.m);
    }
}

int main(int argc, char **argv)
{
    return bench(argc, argv, 10000000, run);
}
