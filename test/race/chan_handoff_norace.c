// chan_handoff_norace.c - a value handed to a receiver already waiting at a buffered channel carries the order too.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

int value;
static csp_chan *slots;

static void writer(void *arg)
{
    (void)arg;
    invisible_wait(1);
    invisible_settle();
    value = 1; // line: write
    csp_send(slots, NULL);
    invisible_step();
}

int main(void)
{
    slots = csp_chan_new(0, 2);
    csp_go(writer, NULL);
    invisible_step();
    csp_recv(slots, NULL);
    invisible_wait(2);
    invisible_use(value); // line: read
    return 0;
}
