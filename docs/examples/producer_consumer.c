// producer_consumer.c - typed channels: the compiler checks what is sent, and who may send.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// CSP_CHAN_TYPE makes a channel type for int. A function that takes a numbers_tx can only send and close, one that takes a
// numbers_rx can only receive; producer_consumer_bad.c shows what happens when it tries the other.
#include <csp/csp.h>

#include <stdio.h>

CSP_CHAN_TYPE(numbers, int)

typedef struct pipeline {
    numbers naturals;
    numbers squares;
} pipeline;

static void produce(numbers_tx out)
{
    for (int i = 1; i <= 5; i++)
        numbers_send(out, i);
    numbers_close(out);
}

static void square(numbers_rx in, numbers_tx out)
{
    int n;
    CSP_RANGE(n, in)
        numbers_send(out, n * n);
    numbers_close(out);
}

static void consume(numbers_rx in)
{
    int n;
    CSP_RANGE(n, in)
        printf("%d\n", n);
}

static void run_produce(void *arg)
{
    pipeline *p = arg;
    produce(p->naturals);
}

static void run_square(void *arg)
{
    pipeline *p = arg;
    square(p->naturals, p->squares);
}

int main(void)
{
    pipeline p = {numbers_new(0), numbers_new(2)};
    csp_go(run_produce, &p);
    csp_go(run_square, &p);
    consume(p.squares);
    numbers_free(p.naturals);
    numbers_free(p.squares);
    return 0;
}
