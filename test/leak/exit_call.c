// exit_call.c - exit() from anywhere is checked like the return of main.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include <csp/csp.h>

#include <stdlib.h>

static csp_chan *results;

static void waiter(void *arg)
{
    (void)arg;
    csp_send(results, NULL);
}

static void finish(void *arg)
{
    (void)arg;
    exit(0);
}

int main(void)
{
    results = csp_chan_new(0, 0);
    csp_go(waiter, NULL);
    csp_yield();
    csp_go(finish, NULL);
    csp_select(NULL, 0); // main itself waits: no leak, since exit() ends it
}

// CHECK: WARNING: CspThreadSanitizer: coroutine leak
// CHECK: SUMMARY: CspThreadSanitizer: coroutine leak {{.*}} in waiter
// CHECK: CspThreadSanitizer: reported 1 warnings
