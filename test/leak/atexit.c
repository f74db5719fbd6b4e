// atexit.c - atexit handlers run after the check, and main's variables are intact while the others come to rest.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include <csp/csp.h>

#include <stdio.h>
#include <stdlib.h>

static csp_chan *results;

static void say_goodbye(void)
{
    printf("goodbye\n");
}

static void waiter(void *arg)
{
    csp_sleep(20 * CSP_MS);
    printf("%d\n", *(int *)arg); // on main's stack, after main has returned
    csp_send(results, NULL);
}

int main(void)
{
    int number = 4711;
    atexit(say_goodbye);
    results = csp_chan_new(0, 0);
    csp_go(waiter, &number);
    return 0;
}

// OUT: 4711
// OUT-NEXT: goodbye
// CHECK: SUMMARY: CspThreadSanitizer: coroutine leak {{.*}} in waiter
