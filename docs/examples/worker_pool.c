// worker_pool.c - three workers share five jobs: two channels are all the coordination it takes.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Whoever is free receives the next job. Closing `jobs` tells the workers that no more will come: CSP_RANGE then ends.
#include <csp/csp.h>

#include <stdio.h>

enum { WORKERS = 3, JOBS = 5 };

typedef struct pool {
    csp_chan *jobs;
    csp_chan *results;
    csp_wg workers;
} pool;

static void work(void *arg)
{
    pool *p = arg;
    int job;
    CSP_RANGE(job, p->jobs) {
        csp_sleep(CSP_MS); // stands for something that takes time
        int result = job * 2;
        csp_send(p->results, &result);
    }
    csp_wg_done(&p->workers);
}

int main(void)
{
    pool p = {.jobs = csp_chan_new(sizeof(int), JOBS), .results = csp_chan_new(sizeof(int), JOBS)};
    csp_wg_add(&p.workers, WORKERS);
    for (int i = 0; i < WORKERS; i++)
        csp_go(work, &p);
    for (int job = 1; job <= JOBS; job++)
        csp_send(p.jobs, &job);
    csp_close(p.jobs);

    int total = 0;
    for (int i = 0; i < JOBS; i++) {
        int result;
        csp_recv(p.results, &result);
        total += result;
    }
    printf("total %d\n", total);

    csp_wg_wait(&p.workers);
    csp_chan_free(p.jobs);
    csp_chan_free(p.results);
    return 0;
}
