// chan_len_norace.c - only the receive orders.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

int value;
static csp_chan *values;

static void writer(void *arg)
{
    (void)arg;
    value = 1; // line: write
    csp_send(values, NULL);
    invisible_step();
}

int main(void)
{
    values = csp_chan_new(0, 1);
    csp_go(writer, NULL);
    while (csp_len(values) == 0)
        invisible_pause();
    invisible_wait(1);
    csp_recv(values, NULL);
    invisible_use(value); // line: read
    return 0;
}
