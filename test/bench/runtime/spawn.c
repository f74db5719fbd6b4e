// spawn.c - coroutines that end at once: started in batches of a hundred, and awaited.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "bench.h"

#define BATCH 100

static csp_wg done;

static void end_at_once(void *unused)
{
    (void)unused;
    csp_wg_done(&done);
}

static void run(long n)
{
    for (long i = 0; i < n; i += BATCH) {
        csp_wg_add(&done, BATCH);
        for (int j = 0; j < BATCH; j++)
            csp_go(end_at_once, NULL);
        csp_wg_wait(&done);
    }
}

int main(int argc, char **argv)
{
    return bench(argc, argv, 4000000, run);
}
