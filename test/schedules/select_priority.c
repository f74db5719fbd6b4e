// select_priority.c - a worker is to do nothing that was asked for after the stop, and trusts select to see the stop first.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Bug: with both ready, select takes either.
// Order: the worker is held up until the stop and a job asked for later are both there.
// Depth: 3. Shows as: crash.
// Source: figure 11 of Tu et al., ASPLOS 2019: stop channel and ticker in one select.
#include <csp/csp.h>

#include <assert.h>
#include <stdatomic.h>

static csp_chan *jobs, *stop;
static atomic_bool stopped;
static csp_wg both;

static void work(void *arg)
{
    (void)arg;
    bool late;
    while (CSP_SELECT(csp_case_recv(stop, NULL, NULL), csp_case_recv(jobs, &late, NULL)) == 1) {
#ifdef FIXED
        if (csp_try_recv(stop, NULL) != 0)
            break;
#endif
        assert(!late);
    }
    csp_wg_done(&both);
}

static void ask(void *arg)
{
    (void)arg;
    for (int i = 0; i < 2; i++) {
        bool late = atomic_load(&stopped);
        csp_try_send(jobs, &late);
        csp_sleep(2 * CSP_MS);
    }
    csp_wg_done(&both);
}

int main(void)
{
    jobs = csp_chan_new(sizeof(bool), 1);
    stop = csp_chan_new(0, 0);
    csp_wg_add(&both, 2);
    csp_go(work, NULL);
    csp_go(ask, NULL);
    csp_sleep(CSP_MS);
    csp_close(stop);
    atomic_store(&stopped, true);
    csp_wg_wait(&both);
    return 0;
}
