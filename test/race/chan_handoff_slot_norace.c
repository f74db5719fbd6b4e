// chan_handoff_slot_norace.c - a hand-off to a waiting receiver is a send like any other: it takes a slot number, and the send C later waits for that receive.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

int value;
static csp_chan *slots;

static void writer(void *arg)
{
    (void)arg;
    value = 1; // line: write
    invisible_step();
    csp_recv(slots, NULL);
    invisible_step();
}

int main(void)
{
    slots = csp_chan_new(0, 1);
    csp_go(writer, NULL);
    invisible_wait(1);
    invisible_settle();
    csp_send(slots, NULL);
    invisible_wait(2);
    csp_send(slots, NULL);
    invisible_use(value); // line: read
    return 0;
}
