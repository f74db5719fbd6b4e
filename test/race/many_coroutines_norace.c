// many_coroutines_norace.c - thousands of coroutines, each with its own place, and a pipeline through all of them.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

enum { COUNT = 2000 };
static int places[COUNT];
static csp_chan *ends[COUNT + 1];

static void pass_on(void *arg)
{
    int *place = arg;
    long i = place - places;
    int n;
    csp_recv(ends[i], &n);
    *place = n;
    n++;
    csp_send(ends[i + 1], &n);
}

int main(void)
{
    for (int i = 0; i <= COUNT; i++)
        ends[i] = csp_chan_new(sizeof(int), 0);
    for (int i = 0; i < COUNT; i++)
        csp_go(pass_on, &places[i]);
    int n = 0;
    csp_send(ends[0], &n);
    csp_recv(ends[COUNT], &n);
    for (int i = 0; i < COUNT; i++)
        if (places[i] != i)
            return 1;
    return n != COUNT;
}
