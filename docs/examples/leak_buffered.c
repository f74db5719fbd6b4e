// leak_buffered.c - the leak of leak.c mended: the channel has room for every reply.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// With a place for each of them all servers can send and be done, whether or not anybody receives. The wait group tells
// when the last one is through with the channel, so that it may be freed.
#include <csp/csp.h>

#include <stdio.h>

enum { SERVERS = 3 };

typedef struct query {
    csp_chan *replies;
    csp_wg asked;
} query;

static void ask_server(void *arg)
{
    query *q = arg;
    int reply = 42;
    csp_send(q->replies, &reply);
    csp_wg_done(&q->asked);
}

// Asks three servers and returns the first reply.
static int first_reply(query *q)
{
    for (int i = 0; i < SERVERS; i++)
        csp_go(ask_server, q);
    int reply;
    csp_recv(q->replies, &reply);
    return reply;
}

int main(void)
{
    query q = {.replies = csp_chan_new(sizeof(int), SERVERS)};
    csp_wg_add(&q.asked, SERVERS);
    printf("first reply: %d\n", first_reply(&q));
    csp_wg_wait(&q.asked);
    csp_chan_free(q.replies);
    return 0;
}
