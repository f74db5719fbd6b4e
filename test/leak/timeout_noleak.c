// timeout_noleak.c - a select with a timeout will end by itself: never a leak.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace --options='leak_grace_ms=50' %s
#include <csp/csp.h>

static csp_chan *never;

static void work(void *arg)
{
    (void)arg;
    CSP_SELECT(csp_case_recv(never, NULL, NULL), csp_case_after(60 * CSP_SECOND));
}

int main(void)
{
    never = csp_chan_new(0, 0);
    csp_go(work, NULL);
    csp_sleep(CSP_MS);
    return 0;
}
