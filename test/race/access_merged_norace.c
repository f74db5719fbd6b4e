// access_merged_norace.c - neighbours that share a check are recorded each by itself; none of them before a receive.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

struct {
    long first;
    double second;
    short third;
    long fourth, fifth;
} shared;

static void writer(void *arg)
{
    shared.first = 1;
    shared.second = 2;
    shared.fourth = 4;
    invisible_step();
    shared.fifth = 5;
    csp_send(arg, NULL);
}

__attribute__((noinline)) static void wait_for(csp_chan *c)
{
    csp_recv(c, NULL);
}

int main(void)
{
    csp_chan *c = csp_chan_new(0, 0);
    csp_go(writer, c);
    invisible_wait(1);
    shared.third = 3; // between what the writer wrote
    wait_for(c);
    shared.first = 6;
    shared.fifth = 7; // not before the receive
    return 0;
}
