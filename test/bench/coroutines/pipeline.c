// pipeline.c - blocks of numbers pass through stages that each change all of them; buffered channels between.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <csp/csp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { STAGES = 5, BLOCKS = 100000, NUMBERS = 64, ROOM = 16 };

typedef struct block {
    uint32_t number[NUMBERS];
} block;

static csp_chan *chan[STAGES + 1];

static void stage(void *arg)
{
    int k = (int)(intptr_t)arg;
    for (block *b; csp_recv(chan[k], &b);) {
        for (int i = 0; i < NUMBERS; i++)
            b->number[i] = b->number[i] * 5 + (uint32_t)k;
        csp_send(chan[k + 1], &b);
    }
    csp_close(chan[k + 1]);
}

static void produce(void *unused)
{
    (void)unused;
    for (uint32_t n = 0; n < BLOCKS; n++) {
        block *b = malloc(sizeof *b);
        for (uint32_t i = 0; i < NUMBERS; i++)
            b->number[i] = n + i;
        csp_send(chan[0], &b);
    }
    csp_close(chan[0]);
}

int main(void)
{
    for (int k = 0; k <= STAGES; k++)
        chan[k] = csp_chan_new(sizeof(block *), ROOM);
    csp_go(produce, NULL);
    for (intptr_t k = 0; k < STAGES; k++)
        csp_go(stage, (void *)k);
    uint32_t sum = 0;
    for (block *b; csp_recv(chan[STAGES], &b);) {
        for (int i = 0; i < NUMBERS; i++)
            sum = sum * 31 + b->number[i];
        free(b);
    }
    printf("sum %u\n", sum);
}
