// grace.c - within leak_grace_ms a sleeping coroutine may still come to rest, and is then reported; with 0 it is not waited for.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race --options='leak_grace_ms=5000' %s
// RUN: %check_norace --options='leak_grace_ms=0' %s
#include <csp/csp.h>

static csp_chan *results;

static void waiter(void *arg)
{
    (void)arg;
    csp_sleep(200 * CSP_MS);
    csp_send(results, NULL);
}

int main(void)
{
    results = csp_chan_new(0, 0);
    csp_go(waiter, NULL);
    return 0;
}

// CHECK: SUMMARY: CspThreadSanitizer: coroutine leak
