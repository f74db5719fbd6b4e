// pingpong.c - two coroutines hand one record to and fro.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <csp/csp.h>
#include <stdint.h>
#include <stdio.h>

enum { ROUNDS = 300000 };

typedef struct ball {
    uint64_t hits, sum;
} ball;

static csp_chan *there, *back;

static void player(void *unused)
{
    (void)unused;
    for (ball *b; csp_recv(there, &b);) {
        b->hits++;
        b->sum += b->hits;
        csp_send(back, &b);
    }
}

int main(void)
{
    static ball the_ball;
    ball *b = &the_ball;
    there = csp_chan_new(sizeof b, 0);
    back = csp_chan_new(sizeof b, 0);
    csp_go(player, NULL);
    for (int i = 0; i < ROUNDS; i++) {
        b->hits++;
        csp_send(there, &b);
        csp_recv(back, &b);
    }
    csp_close(there);
    printf("hits %llu sum %llu\n", (unsigned long long)b->hits, (unsigned long long)b->sum);
}
