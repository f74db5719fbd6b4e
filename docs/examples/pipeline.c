// pipeline.c - stages joined by channels, all of which end when the last one has seen enough.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// numbers -> squares -> main. A stage that is parked in a send would stay there for ever once nobody receives any more; the
// forms with a context let it go. Each stage closes its output when it ends, so ends travel down, cancelling travels up.
#include <csp/csp.h>

#include <stdio.h>

typedef struct pipeline {
    csp_ctx *ctx;
    csp_chan *numbers;
    csp_chan *squares;
    csp_wg stages;
} pipeline;

static void count(void *arg)
{
    pipeline *p = arg;
    for (int n = 1; csp_send_ctx(p->numbers, &n, p->ctx); n++)
        ;
    csp_close(p->numbers);
    csp_wg_done(&p->stages);
}

static void square(void *arg)
{
    pipeline *p = arg;
    int n;
    while (csp_recv_ctx(p->numbers, &n, p->ctx) == 1) {
        int result = n * n;
        if (!csp_send_ctx(p->squares, &result, p->ctx))
            break;
    }
    csp_close(p->squares);
    csp_wg_done(&p->stages);
}

int main(void)
{
    pipeline p = {.ctx = csp_ctx_with_cancel(NULL),
                  .numbers = csp_chan_new(sizeof(int), 0),
                  .squares = csp_chan_new(sizeof(int), 0)};
    csp_wg_add(&p.stages, 2);
    csp_go(count, &p);
    csp_go(square, &p);

    int n, sum = 0;
    CSP_RANGE(n, p.squares) {
        if (n > 100)
            break; // enough
        sum += n;
    }
    csp_ctx_cancel(p.ctx);
    csp_wg_wait(&p.stages);
    printf("sum of squares up to 100: %d\n", sum);

    csp_ctx_free(p.ctx);
    csp_chan_free(p.numbers);
    csp_chan_free(p.squares);
    return 0;
}
