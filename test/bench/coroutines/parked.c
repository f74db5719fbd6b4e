// parked.c - 100,000 coroutines wait for one channel to be closed; each then does a little and tells.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <csp/csp.h>
#include <stdint.h>
#include <stdio.h>

enum { COROUTINES = 100000 };

static csp_chan *start;
static csp_wg waiting, all;
static uint32_t result[COROUTINES];

static void run(void *arg)
{
    csp_wg_done(&waiting);
    csp_recv(start, NULL);
    result[(intptr_t)arg] = (uint32_t)(intptr_t)arg * 3;
    csp_wg_done(&all);
}

int main(void)
{
    start = csp_chan_new(0, 0);
    csp_wg_add(&waiting, COROUTINES);
    csp_wg_add(&all, COROUTINES);
    for (intptr_t i = 0; i < COROUTINES; i++)
        csp_go(run, (void *)i);
    csp_wg_wait(&waiting);
    csp_close(start);
    csp_wg_wait(&all);
    uint32_t sum = 0;
    for (int i = 0; i < COROUTINES; i++)
        sum += result[i];
    printf("sum %u\n", sum);
}
