// select_priority.c - a worker is to do nothing that was asked for after the stop, and trusts select to see the stop first.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Bug: with both ready, select takes either.
// Order: the worker is held up until the stop and a job that was asked for later are both there; select takes the job.
// Depth: 3. Shows as: crash.
// Source: figure 11 of Tu et al., ASPLOS 2019: stop channel and ticker in one select.
#include <csp/csp.h>

#include <assert.h>

static csp_chan *jobs, *stop, *started;
static int done_late;
static csp_wg both;

static void work(void *arg)
{
    (void)arg;
    csp_send(started, NULL);
    while (CSP_SELECT(csp_case_recv(stop, NULL, NULL), csp_case_recv(jobs, NULL, NULL)) == 1) {
#ifdef FIXED
        if (csp_try_recv(stop, NULL) != 0)
            break;
#endif
        done_late++;
    }
    csp_wg_done(&both);
}

static void ask_late(void *arg)
{
    (void)arg;
    csp_recv(stop, NULL);
    csp_try_send(jobs, NULL);
    csp_wg_done(&both);
}

int main(void)
{
    jobs = csp_chan_new(0, 1);
    stop = csp_chan_new(0, 0);
    started = csp_chan_new(0, 0);
    csp_wg_add(&both, 2);
    csp_go(work, NULL);
    csp_go(ask_late, NULL);
    csp_recv(started, NULL); // the worker is about to wait
    csp_close(stop);
    csp_wg_wait(&both);
    assert(done_late == 0);
    return 0;
}
