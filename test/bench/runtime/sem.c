// sem.c - taking and returning one of the permits of a weighted semaphore.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "bench.h"

static csp_sem s;

static void run(long n)
{
    for (long i = 0; i < n; i++) {
        csp_sem_acquire(&s, 1);
        csp_sem_release(&s, 1);
    }
}

int main(int argc, char **argv)
{
    csp_sem_init(&s, 4);
    return bench(argc, argv, 5000000, run);
}
