// sleeping_noleak.c - a sleeping coroutine will wake by itself: never a leak.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace --options='leak_grace_ms=50' %s
#include <csp/csp.h>

static void work(void *arg)
{
    (void)arg;
    csp_sleep(60 * CSP_SECOND);
}

int main(void)
{
    csp_go(work, NULL);
    csp_sleep(CSP_MS);
    return 0;
}
