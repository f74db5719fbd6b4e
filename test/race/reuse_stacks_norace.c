// reuse_stacks_norace.c - stacks handed from one coroutine to the next never make a report.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

static csp_chan *turns;

static void work(void *arg)
{
    volatile int local[64];
    for (int i = 0; i < 64; i++)
        local[i] = i;
    invisible_use(local[5]);
    csp_send(turns, &arg);
}

int main(void)
{
    turns = csp_chan_new(sizeof(void *), 8);
    for (int round = 0; round < 200; round++) {
        for (int i = 0; i < 4; i++)
            csp_go(work, NULL);
        for (int i = 0; i < 4; i++)
            csp_recv(turns, NULL);
    }
    return 0;
}
