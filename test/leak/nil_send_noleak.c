// nil_send_noleak.c - a channel that was made can be sent on.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include <csp/csp.h>

static csp_chan *nothing;

static void waiter(void *arg)
{
    (void)arg;
    csp_send(nothing, NULL); // line: park
}

int main(void)
{
    nothing = csp_chan_new(0, 1);
    csp_go(waiter, NULL); // line: go
    return 0;
}
