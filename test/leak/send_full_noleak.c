// send_full_noleak.c - a sender that found room.
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
    results = csp_chan_new(0, 2);
    csp_send(results, NULL);
    csp_go(waiter, NULL); // line: go
    return 0;
}
