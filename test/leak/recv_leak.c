// recv_leak.c - a receiver that nobody sends to.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include <csp/csp.h>

static csp_chan *jobs;

static void waiter(void *arg)
{
    (void)arg;
    csp_recv(jobs, NULL); // line: park
}

int main(void)
{
    jobs = csp_chan_new(0, 0); // line: made
    csp_go(waiter, NULL); // line: go
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: coroutine leak (pid={{[0-9]+}})
// CHECK-NEXT: {{^}}  Coroutine {{[0-9]+}} is parked in chan receive for {{.*}}:
// CHECK-NEXT: {{^}}    #0 csp_recv
// CHECK-NEXT: {{^}}    #1 waiter {{.*}}recv_leak.c:[[#park]]:
// CHECK: {{^}}  receiving on `jobs` (channel of capacity 0, made at {{.*}}recv_leak.c:[[#made]]:{{[0-9]+}})
// CHECK: {{^}}  Coroutine {{[0-9]+}} (parked) created by main coroutine at:
// CHECK-NEXT: {{^}}    #0 csp_go
// CHECK-NEXT: {{^}}    #1 main {{.*}}recv_leak.c:[[#go]]:
// CHECK: SUMMARY: CspThreadSanitizer: coroutine leak {{.*}}recv_leak.c:[[#park]]:{{[0-9]+}} in waiter
// CHECK: CspThreadSanitizer: reported 1 warnings
