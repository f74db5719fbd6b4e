// select_ready.c - a send to a buffered channel and a two-case select that need not wait.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "bench.h"

static csp_chan *a, *b;

static void run(long n)
{
    for (long i = 0, v; i < n; i++) {
        csp_send(i % 2 ? a : b, &i);
        CSP_SELECT(csp_case_recv(a, &v, NULL), csp_case_recv(b, &v, NULL));
    }
}

int main(int argc, char **argv)
{
    a = csp_chan_new(sizeof(long), 1);
    b = csp_chan_new(sizeof(long), 1);
    return bench(argc, argv, 2000000, run);
}
