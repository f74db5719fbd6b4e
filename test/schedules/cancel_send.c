// cancel_send.c - a producer looks whether it was cancelled, then sends to a consumer who has gone.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Bug: the cancellation comes between the look and the send, and nobody will receive.
// Order: the consumer is held up before it cancels; the producer looks once more, and sends.
// Depth: 2. Shows as: leak.
// Source: cockroach#18101 and kubernetes#25331 in GoKer (GoBench, CGO 2021): the context stops one side only.
#include <csp/csp.h>

static csp_ctx *ctx;
static csp_chan *numbers;

static void produce(void *arg)
{
    (void)arg;
    for (int i = 0; csp_ctx_err(ctx) == 0; i++) {
#ifdef FIXED
        if (!csp_send_ctx(numbers, &i, ctx))
            return;
#else
        csp_send(numbers, &i);
#endif
        csp_sleep(CSP_MS); // makes the next
    }
}

int main(void)
{
    ctx = csp_ctx_with_cancel(NULL);
    numbers = csp_chan_new(sizeof(int), 0);
    csp_go(produce, NULL);
    for (int i = 0, number; i < 2; i++)
        csp_recv(numbers, &number);
    csp_ctx_cancel(ctx);
    return 0;
}
