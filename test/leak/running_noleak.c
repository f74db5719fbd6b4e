// running_noleak.c - a coroutine that still runs is not parked: never a leak.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace --options='leak_grace_ms=50' %s
#include <csp/csp.h>

static void work(void *arg)
{
    (void)arg;
    for (;;)
        csp_yield();
}

int main(void)
{
    csp_go(work, NULL);
    csp_sleep(CSP_MS);
    return 0;
}
