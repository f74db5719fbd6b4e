// unbuffered.c - an unbuffered channel: sender and receiver meet, so a value is handed over and both know it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The sum of an array is computed in two halves by two coroutines. Main waits simply by receiving twice.
#include <csp/csp.h>

#include <stdio.h>

typedef struct half {
    const int *numbers;
    int count;
    csp_chan *sums;
} half;

static void add_up(void *arg)
{
    const half *h = arg;
    int sum = 0;
    for (int i = 0; i < h->count; i++)
        sum += h->numbers[i];
    csp_send(h->sums, &sum);
}

int main(void)
{
    const int numbers[] = {7, 2, 8, -9, 4, 0};
    csp_chan *sums = csp_chan_new(sizeof(int), 0);
    half first = {numbers, 3, sums};
    half second = {numbers + 3, 3, sums};
    csp_go(add_up, &first);
    csp_go(add_up, &second);

    int x, y;
    csp_recv(sums, &x);
    csp_recv(sums, &y);
    printf("total %d\n", x + y);
    csp_chan_free(sums);
    return 0;
}
