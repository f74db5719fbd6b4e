// workers.c - a pool of workers takes jobs from one channel and puts results into another; all read one table.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <csp/csp.h>
#include <stdint.h>
#include <stdio.h>

enum { WORKERS = 8, JOBS = 50000, TABLE = 1 << 12, LENGTH = 200 };

typedef struct job {
    uint32_t start, sum;
} job;

static uint32_t table[TABLE];
static job jobs[JOBS];
static csp_chan *todo, *done;

static void worker(void *unused)
{
    (void)unused;
    for (job *j; csp_recv(todo, &j);) {
        uint32_t at = j->start;
        for (int i = 0; i < LENGTH; i++) {
            at = table[at % TABLE];
            j->sum += at;
        }
        csp_send(done, &j);
    }
}

static void produce(void *unused)
{
    (void)unused;
    for (uint32_t i = 0; i < JOBS; i++) {
        jobs[i].start = i * 7;
        csp_send(todo, &(job *){&jobs[i]});
    }
    csp_close(todo);
}

int main(void)
{
    for (uint32_t i = 0; i < TABLE; i++)
        table[i] = i * 2654435761u >> 8;
    todo = csp_chan_new(sizeof(job *), WORKERS);
    done = csp_chan_new(sizeof(job *), WORKERS);
    for (int i = 0; i < WORKERS; i++)
        csp_go(worker, NULL);
    csp_go(produce, NULL);
    uint32_t sum = 0;
    for (int i = 0; i < JOBS; i++) {
        job *j;
        csp_recv(done, &j);
        sum += j->sum;
    }
    printf("sum %u\n", sum);
}
