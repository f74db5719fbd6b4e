// suppression.c - leak: lines of a suppressions file are matched against the waiting and the creation stack.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: echo 'leak:waiter' > %t.waiter
// RUN: %check_norace --options='suppressions=%t.waiter' %s
// RUN: echo 'leak:main' > %t.main
// RUN: %check_norace --options='suppressions=%t.main' %s
// RUN: echo 'race:waiter' > %t.race
// RUN: %check_race --options='suppressions=%t.race' %s
#include <csp/csp.h>

static csp_chan *results;

static void waiter(void *arg)
{
    (void)arg;
    csp_send(results, NULL); // line: park
}

int main(void)
{
    results = csp_chan_new(0, 0); // line: made
    csp_go(waiter, NULL); // line: go
    return 0;
}

// CHECK: SUMMARY: CspThreadSanitizer: coroutine leak
