// unbuffered.c - one value from one coroutine to another over a channel without a buffer.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "bench.h"

static csp_chan *c;

static void send_all(void *n)
{
    for (long i = 0; i < (long)(intptr_t)n; i++)
        csp_send(c, &i);
}

static void run(long n)
{
    csp_go(send_all, (void *)(intptr_t)n);
    for (long i = 0, v; i < n; i++)
        csp_recv(c, &v);
}

int main(int argc, char **argv)
{
    c = csp_chan_new(sizeof(long), 0);
    return bench(argc, argv, 1000000, run);
}
