// sieve.c - primes by a chain of filters, a coroutine for each prime found.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <csp/csp.h>
#include <stdio.h>

enum { PRIMES = 800 };

typedef struct stage {
    csp_chan *in, *out;
    int prime;
} stage;

static void generate(void *out)
{
    for (int i = 2;; i++)
        csp_send(out, &i);
}

static void filter(void *arg)
{
    const stage *s = arg;
    for (int v;;) {
        csp_recv(s->in, &v);
        if (v % s->prime)
            csp_send(s->out, &v);
    }
}

int main(void)
{
    static stage stages[PRIMES];
    csp_chan *in = csp_chan_new(sizeof(int), 0);
    csp_go(generate, in);
    for (int i = 0; i < PRIMES; i++) {
        stage *s = &stages[i];
        *s = (stage){.in = in, .out = csp_chan_new(sizeof(int), 0)};
        csp_recv(in, &s->prime);
        csp_go(filter, s);
        in = s->out;
    }
    printf("prime %d\n", stages[PRIMES - 1].prime);
}
