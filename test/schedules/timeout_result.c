// timeout_result.c - the caller waits with a limit; the worker sends its result where nobody is left.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Bug: the channel has no room, so a result that comes after the limit parks its sender for ever.
// Order: the timeout fires before the worker, which is about to send, has sent.
// Depth: 1. Shows as: leak.
// Source: kubernetes#5316 in GoKer (GoBench, CGO 2021); figure 1 of Tu et al., ASPLOS 2019.
#include <csp/csp.h>

static void work(void *arg)
{
    csp_chan *result = arg;
    int value = 42;
    csp_sleep(CSP_MS);
    csp_send(result, &value);
}

int main(void)
{
#ifdef FIXED
    csp_chan *result = csp_chan_new(sizeof(int), 1);
#else
    csp_chan *result = csp_chan_new(sizeof(int), 0);
#endif
    csp_go(work, result);
    int value;
    if (CSP_SELECT(csp_case_recv(result, &value, NULL), csp_case_after(8 * CSP_MS)) == 1)
        return 0; // gave up
    return value != 42;
}
