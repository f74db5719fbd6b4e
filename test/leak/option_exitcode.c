// option_exitcode.c - a leak ends with the status of the exitcode option, as a race does; 0 keeps the program's own.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race --options='exitcode=23' --status=23 %s
// RUN: %check_race --options='exitcode=0' --status=0 %s
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
