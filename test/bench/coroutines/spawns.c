// spawns.c - 100,000 coroutines, each of which does a little, a thousand at a time.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <csp/csp.h>
#include <stdint.h>
#include <stdio.h>

enum { ROUNDS = 100, AT_ONCE = 1000 };

static uint32_t result[AT_ONCE];
static csp_wg all;

static void run(void *arg)
{
    result[(intptr_t)arg] += (uint32_t)(intptr_t)arg;
    csp_wg_done(&all);
}

int main(void)
{
    for (int round = 0; round < ROUNDS; round++) {
        csp_wg_add(&all, AT_ONCE);
        for (intptr_t i = 0; i < AT_ONCE; i++)
            csp_go(run, (void *)i);
        csp_wg_wait(&all);
    }
    uint32_t sum = 0;
    for (int i = 0; i < AT_ONCE; i++)
        sum += result[i];
    printf("sum %u\n", sum);
}
