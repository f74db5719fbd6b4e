// recv_noleak.c - a receiver that learns of the close.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include <csp/csp.h>

static csp_chan *jobs;

static void waiter(void *arg)
{
    (void)arg;
    csp_recv(jobs, NULL); // line: park
}

int main(void)
{
    jobs = csp_chan_new(0, 0); // line: made
    csp_go(waiter, NULL); // line: go
    csp_close(jobs);
    return 0;
}
