// pingpong.c - there and back between two coroutines over two channels without a buffer.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "bench.h"

static csp_chan *there, *back;

static void answer(void *n)
{
    for (long i = 0, v; i < (long)(intptr_t)n; i++) {
        csp_recv(there, &v);
        csp_send(back, &v);
    }
}

static void run(long n)
{
    csp_go(answer, (void *)(intptr_t)n);
    for (long i = 0, v; i < n; i++) {
        csp_send(there, &i);
        csp_recv(back, &v);
    }
}

int main(int argc, char **argv)
{
    there = csp_chan_new(sizeof(long), 0);
    back = csp_chan_new(sizeof(long), 0);
    return bench(argc, argv, 500000, run);
}
