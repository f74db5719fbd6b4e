// after_norace.c - the channel of csp_after is used like any other: its tick may be received by another coroutine.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

int value;
static csp_chan *tick;

static void writer(void *arg)
{
    (void)arg;
    value = 1; // line: write
    tick = csp_after(CSP_MS);
    invisible_step();
    csp_send(arg, NULL);
}

int main(void)
{
    csp_chan *made = csp_chan_new(0, 0);
    csp_go(writer, made);
    csp_recv(made, NULL);
    csp_recv(tick, NULL);
    invisible_use(value); // line: read
    return 0;
}
