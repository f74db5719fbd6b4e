// waitgroup.c - three times: add, start a coroutine that is done at once, and wait for all three.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "bench.h"

static csp_wg wg;

static void finish(void *unused)
{
    (void)unused;
    csp_wg_done(&wg);
}

static void run(long n)
{
    for (long i = 0; i < n; i++) {
        for (int k = 0; k < 3; k++) {
            csp_wg_add(&wg, 1);
            csp_go(finish, NULL);
        }
        csp_wg_wait(&wg);
    }
}

int main(int argc, char **argv)
{
    return bench(argc, argv, 200000, run);
}
