// select_noleak.c - a select that one channel ends.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include <csp/csp.h>

static csp_chan *jobs, *results;

static void waiter(void *arg)
{
    (void)arg;
    csp_case cases[] = {csp_case_recv(jobs, NULL, NULL), csp_case_send(results, NULL)};
    csp_select(cases, 2); // line: park
}

int main(void)
{
    jobs = csp_chan_new(0, 0);
    results = csp_chan_new(0, 0);
    csp_go(waiter, NULL); // line: go
    csp_recv(results, NULL);
    return 0;
}
