// worker_pool_group.c - as worker_pool.c, with a group: at most three jobs run at a time, and nobody counts workers.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// csp_group_go parks while three run, so the loop goes as fast as the jobs do. Each job writes to a place of its own; the
// wait makes all of it visible.
#include <csp/csp.h>

#include <stdio.h>

enum { AT_A_TIME = 3, JOBS = 20 };

typedef struct job {
    int number;
    int result;
} job;

static int work(csp_ctx *ctx, void *arg)
{
    (void)ctx;
    job *j = arg;
    csp_sleep(CSP_MS); // stands for something that takes time
    j->result = j->number * 2;
    return 0;
}

int main(void)
{
    job jobs[JOBS];
    csp_group *pool = csp_group_new(NULL);
    csp_group_limit(pool, AT_A_TIME);
    for (int i = 0; i < JOBS; i++) {
        jobs[i].number = i + 1;
        csp_group_go(pool, work, &jobs[i]);
    }
    csp_group_wait(pool);
    csp_group_free(pool);

    int total = 0;
    for (int i = 0; i < JOBS; i++)
        total += jobs[i].result;
    printf("total %d\n", total);
    return 0;
}
