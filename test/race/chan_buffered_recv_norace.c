// chan_buffered_recv_norace.c - the k-th receive happens before the (k+C)-th send completes, here C = 1.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

int value;
static csp_chan *slots;

static void writer(void *arg)
{
    (void)arg;
    value = 1; // line: write
    csp_recv(slots, NULL);
    invisible_step();
}

int main(void)
{
    slots = csp_chan_new(0, 1);
    csp_go(writer, NULL);
    csp_send(slots, NULL);
    csp_send(slots, NULL);
    invisible_wait(1);
    invisible_use(value); // line: read
    return 0;
}
