// race_and_leak.c - a run can find both; each is counted.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include <csp/csp.h>

int value;
static csp_chan *results;

static void waiter(void *arg)
{
    (void)arg;
    value++;
    csp_send(results, NULL);
}

int main(void)
{
    results = csp_chan_new(0, 0);
    for (int i = 0; i < 2; i++)
        csp_go(waiter, NULL);
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: data race
// CHECK: WARNING: CspThreadSanitizer: coroutine leak
// CHECK: reported 2 warnings
