// early_return.c - the caller gives up before it receives: the worker's send waits for ever.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Fixed: early_return_fixed.c.
#include <csp/csp.h>
#include <stdio.h>

typedef struct request {
    int number;
    csp_chan *reply;
} request;

static void answer(void *arg)
{
    request *r = arg;
    int value = r->number * 2;
    csp_send(r->reply, &value); // nobody receives
}

static int ask(request *r)
{
    r->reply = csp_chan_new(sizeof(int), 0);
    csp_go(answer, r);
    if (r->number < 0)
        return -1; // leaves without the answer
    int value;
    csp_recv(r->reply, &value);
    csp_chan_free(r->reply);
    return value;
}

int main(void)
{
    static request good = {.number = 21}, bad = {.number = -1};
    printf("%d\n", ask(&good));
    printf("%d\n", ask(&bad));
    return 0;
}
