// rlock.c - read-locking and read-unlocking a reader/writer lock that nobody else wants.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "bench.h"

static csp_rwmutex m;

static void run(long n)
{
    for (long i = 0; i < n; i++) {
        csp_rwmutex_rlock(&m);
        csp_rwmutex_runlock(&m);
    }
}

int main(int argc, char **argv)
{
    return bench(argc, argv, 10000000, run);
}
