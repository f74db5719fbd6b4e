// pipeline_leak.c - as pipeline.c, but nobody tells the stages that the last one has seen enough: they leak.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// main stops receiving. The second stage stays parked in a send, and so, in turn, does the first.
#include <csp/csp.h>

#include <stdio.h>

typedef struct pipeline {
    csp_chan *numbers;
    csp_chan *squares;
} pipeline;

static void count(void *arg)
{
    pipeline *p = arg;
    for (int n = 1;; n++)
        csp_send(p->numbers, &n);
}

static void square(void *arg)
{
    pipeline *p = arg;
    int n;
    CSP_RANGE(n, p->numbers) {
        int result = n * n;
        csp_send(p->squares, &result);
    }
}

int main(void)
{
    static pipeline p;
    p = (pipeline){.numbers = csp_chan_new(sizeof(int), 0), .squares = csp_chan_new(sizeof(int), 0)};
    csp_go(count, &p);
    csp_go(square, &p);

    int n, sum = 0;
    CSP_RANGE(n, p.squares) {
        if (n > 100)
            break; // enough
        sum += n;
    }
    printf("sum of squares up to 100: %d\n", sum);
    return 0;
}
