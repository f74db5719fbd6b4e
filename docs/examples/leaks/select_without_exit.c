// select_without_exit.c - the worker selects for ever, with no case that tells it to stop.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Fixed: select_without_exit_fixed.c.
#include <csp/csp.h>
#include <stdio.h>

static csp_chan *jobs, *urgent;

static void work(void *arg)
{
    (void)arg;
    for (int job;;) {
        CSP_SELECT(csp_case_recv(urgent, &job, NULL), csp_case_recv(jobs, &job, NULL));
        printf("%d\n", job);
    }
}

int main(void)
{
    jobs = csp_chan_new(sizeof(int), 0);
    urgent = csp_chan_new(sizeof(int), 0);
    csp_go(work, NULL);
    csp_send(jobs, &(int){1});
    csp_send(urgent, &(int){2});
    return 0;
}
