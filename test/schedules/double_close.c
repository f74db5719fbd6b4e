// double_close.c - two coroutines stop a service, each after having looked that nobody has.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Bug: looking whether the channel is closed and closing it are two steps.
// Order: A and B both find it open, both close it.
// Depth: 2. Shows as: panic.
// Source: Docker#24007, figure 10 of Tu et al., ASPLOS 2019; the fix there is sync.Once, too.
#include <csp/csp.h>

static csp_chan *stopped;
static csp_once once;
static csp_wg both;

static void close_it(void *arg)
{
    (void)arg;
    csp_close(stopped);
}

static void stop(void *arg)
{
#ifdef FIXED
    csp_once_do(&once, close_it, arg);
#else
    (void)once;
    if (csp_try_recv(stopped, NULL) == 0)
        close_it(arg);
#endif
    csp_wg_done(&both);
}

int main(void)
{
    stopped = csp_chan_new(0, 0);
    csp_wg_add(&both, 2);
    csp_go(stop, NULL);
    csp_go(stop, NULL);
    csp_wg_wait(&both);
    return 0;
}
