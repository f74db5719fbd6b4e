// early_return_fixed.c - a buffer of one: the answer is left there, whether anybody comes for it or not.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
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
    csp_send(r->reply, &value); // does not wait
}

static int ask(request *r)
{
    r->reply = csp_chan_new(sizeof(int), 1);
    csp_go(answer, r);
    if (r->number < 0)
        return -1; // who gave up frees nothing: the answer may be on its way
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
