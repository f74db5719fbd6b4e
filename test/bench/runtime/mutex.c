// mutex.c - locking and unlocking a mutex that nobody else wants.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "bench.h"

static csp_mutex m;
static long counter;

static void run(long n)
{
    for (long i = 0; i < n; i++) {
        csp_mutex_lock(&m);
        counter++;
        csp_mutex_unlock(&m);
    }
}

int main(int argc, char **argv)
{
    return bench(argc, argv, 10000000, run);
}
