// chan_try_norace.c - a try operation that succeeds orders like the parking one.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

int value;
static csp_chan *values;

static void writer(void *arg)
{
    (void)arg;
    value = 1; // line: write
    csp_try_send(values, NULL);
    invisible_step();
}

int main(void)
{
    values = csp_chan_new(0, 1);
    csp_go(writer, NULL);
    invisible_wait(1);
    csp_try_recv(values, NULL);
    invisible_use(value); // line: read
    return 0;
}
