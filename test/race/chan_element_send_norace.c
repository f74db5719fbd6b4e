// chan_element_send_norace.c - the sender may change its variable once the send has returned.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

int value;
static csp_chan *values;

static void sender(void *arg)
{
    (void)arg;
    invisible_wait(1);
    csp_send(values, &value); // line: send
}

int main(void)
{
    values = csp_chan_new(sizeof(int), 0);
    value = 1;
    csp_go(sender, NULL);
    invisible_step();
    int received;
    csp_recv(values, &received);
    return received != 1;
}
