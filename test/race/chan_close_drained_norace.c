// chan_close_drained_norace.c - the receive that finds the channel closed and empty is ordered after the close.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

int value;
static csp_chan *values;

static void writer(void *arg)
{
    (void)arg;
    csp_send(values, NULL);
    value = 1; // line: write
    csp_close(values);
    invisible_step();
}

int main(void)
{
    values = csp_chan_new(0, 1);
    csp_go(writer, NULL);
    invisible_wait(1);
    csp_recv(values, NULL);
    csp_recv(values, NULL);
    invisible_use(value); // line: read
    return 0;
}
