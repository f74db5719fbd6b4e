// option_off.c - detect_leaks=0 switches the leak check off.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace --options='detect_leaks=0' %s
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
    return 0;
}
