// nil_recv_noleak.c - a channel that was made can be received from.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include <csp/csp.h>

static csp_chan *nothing;

static void waiter(void *arg)
{
    (void)arg;
    csp_recv(nothing, NULL); // line: park
}

int main(void)
{
    nothing = csp_chan_new(0, 0);
    csp_go(waiter, NULL); // line: go
    csp_send(nothing, NULL);
    return 0;
}
