// chan_buffered_slot_norace.c - a receive is ordered after the send that filled its slot.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

int value;
static csp_chan *slots;

static void writer(void *arg)
{
    (void)arg;
    value = 1; // line: write
    csp_send(slots, NULL);
    invisible_step();
}

static void other(void *arg)
{
    (void)arg;
    invisible_wait(1);
    csp_send(slots, NULL);
    invisible_step();
}

static void drain(void *arg)
{
    (void)arg;
    invisible_wait(2);
    csp_recv(slots, NULL); // the writer's
    invisible_step();
}

int main(void)
{
    slots = csp_chan_new(0, 2);
    csp_go(writer, NULL);
    csp_go(other, NULL);
    drain(NULL);
    invisible_wait(3);
    csp_recv(slots, NULL); // the other's
    invisible_use(value); // line: read
    return 0;
}
