// send_noleak.c - a sender that is received from.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include <csp/csp.h>

static csp_chan *results;

static void waiter(void *arg)
{
    (void)arg;
    csp_send(results, NULL); // line: park
}

int main(void)
{
    results = csp_chan_new(0, 0); // line: made
    csp_go(waiter, NULL); // line: go
    csp_recv(results, NULL);
    return 0;
}
