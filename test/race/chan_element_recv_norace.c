// chan_element_recv_norace.c - a variable filled by a receive may be read by whoever comes after it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

int value;
static csp_chan *values;
static csp_chan *filled;

static void receiver(void *arg)
{
    (void)arg;
    csp_recv(values, &value); // line: recv
    csp_send(filled, NULL);
}

int main(void)
{
    values = csp_chan_new(sizeof(int), 0);
    filled = csp_chan_new(0, 1);
    csp_go(receiver, NULL);
    int one = 1;
    csp_send(values, &one);
    csp_recv(filled, NULL);
    invisible_use(value); // line: read
    return 0;
}
