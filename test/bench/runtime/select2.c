// select2.c - a select over two channels without a buffer, whose sender takes turns: one value per operation.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "bench.h"

static csp_chan *a, *b;

static void send_all(void *n)
{
    for (long i = 0; i < (long)(intptr_t)n; i++)
        csp_send(i % 2 ? a : b, &i);
}

static void run(long n)
{
    csp_go(send_all, (void *)(intptr_t)n);
    for (long i = 0, v; i < n; i++)
        CSP_SELECT(csp_case_recv(a, &v, NULL), csp_case_recv(b, &v, NULL));
}

int main(int argc, char **argv)
{
    a = csp_chan_new(sizeof(long), 0);
    b = csp_chan_new(sizeof(long), 0);
    return bench(argc, argv, 1000000, run);
}
