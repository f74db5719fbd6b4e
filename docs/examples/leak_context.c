// leak_context.c - the leak of leak.c mended: a context tells the others that they are not needed.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each server waits for two things at once: that its reply is taken, or that the context is cancelled. This also works
// where the number of replies is not known beforehand.
#include <csp/csp.h>

#include <stdio.h>

enum { SERVERS = 3 };

typedef struct query {
    csp_chan *replies;
    csp_ctx *ctx;
    csp_wg asked;
} query;

static void ask_server(void *arg)
{
    query *q = arg;
    int reply = 42;
    CSP_SELECT(csp_case_send(q->replies, &reply), csp_case_recv(csp_ctx_done(q->ctx), NULL, NULL));
    csp_wg_done(&q->asked);
}

// Asks three servers and returns the first reply.
static int first_reply(query *q)
{
    for (int i = 0; i < SERVERS; i++)
        csp_go(ask_server, q);
    int reply;
    csp_recv(q->replies, &reply);
    csp_ctx_cancel(q->ctx);
    return reply;
}

int main(void)
{
    query q = {.replies = csp_chan_new(sizeof(int), 0), .ctx = csp_ctx_with_cancel(csp_ctx_background())};
    csp_wg_add(&q.asked, SERVERS);
    printf("first reply: %d\n", first_reply(&q));
    csp_wg_wait(&q.asked);
    csp_ctx_free(q.ctx);
    csp_chan_free(q.replies);
    return 0;
}
