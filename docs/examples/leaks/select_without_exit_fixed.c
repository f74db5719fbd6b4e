// select_without_exit_fixed.c - one case more: a channel that is closed when it is time to stop (or csp_ctx_done).
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <csp/csp.h>
#include <stdio.h>

static csp_chan *jobs, *urgent, *stop;

static void work(void *arg)
{
    (void)arg;
    for (int job;;) {
        if (CSP_SELECT(csp_case_recv(stop, NULL, NULL), csp_case_recv(urgent, &job, NULL),
                       csp_case_recv(jobs, &job, NULL)) == 0)
            return;
        printf("%d\n", job);
    }
}

int main(void)
{
    jobs = csp_chan_new(sizeof(int), 0);
    urgent = csp_chan_new(sizeof(int), 0);
    stop = csp_chan_new(0, 0);
    csp_go(work, NULL);
    csp_send(jobs, &(int){1});
    csp_send(urgent, &(int){2});
    csp_close(stop);
    return 0;
}
