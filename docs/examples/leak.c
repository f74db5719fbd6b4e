// leak.c - LEAK: a function that returns early leaves coroutines behind that wait for ever.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Three servers are asked and the first reply is taken. Nobody will ever receive the other two: the coroutines that want
// to send them stay parked, each with its stack. A server that does this on every request runs out of memory some day.
// Fixed by a buffer in leak_buffered.c and by a context in leak_context.c.
#include <csp/csp.h>

#include <stdio.h>

enum { SERVERS = 3 };

typedef struct query {
    csp_chan *replies;
} query;

static void ask_server(void *arg)
{
    query *q = arg;
    int reply = 42;
    csp_send(q->replies, &reply);
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
    query q = {csp_chan_new(sizeof(int), 0)};
    printf("first reply: %d\n", first_reply(&q));
    return 0;
}
