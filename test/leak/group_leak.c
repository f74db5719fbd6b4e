// group_leak.c - coroutines that wait at one place and were made at one place are reported once, with their number.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
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
    for (int i = 0; i < 37; i++)
        csp_go(waiter, NULL); // line: go
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: coroutine leak (pid={{[0-9]+}})
// CHECK-NEXT: {{^}}  37 coroutines are parked in chan send, the longest for {{.*}} (coroutines {{.*}}):
// CHECK-NEXT: {{^}}    #0 csp_send
// CHECK-NEXT: {{^}}    #1 waiter {{.*}}group_leak.c:[[#park]]:
// CHECK: {{^}}  sending on `results` (channel of capacity 0, made at {{.*}}group_leak.c:[[#made]]:{{[0-9]+}})
// CHECK: {{^}}  Coroutine {{[0-9]+}} (parked) created by main coroutine at:
// CHECK-NEXT: {{^}}    #0 csp_go
// CHECK-NEXT: {{^}}    #1 main {{.*}}group_leak.c:[[#go]]:
// CHECK: SUMMARY: CspThreadSanitizer: coroutine leak {{.*}}group_leak.c:[[#park]]:{{[0-9]+}} in waiter
// CHECK: CspThreadSanitizer: reported 1 warnings
