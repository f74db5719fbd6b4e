// send_full_leak.c - a sender parked at a full buffer.
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
    results = csp_chan_new(0, 1); // line: made
    csp_send(results, NULL);
    csp_go(waiter, NULL); // line: go
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: coroutine leak (pid={{[0-9]+}})
// CHECK-NEXT: {{^}}  Coroutine {{[0-9]+}} is parked in chan send for {{.*}}:
// CHECK-NEXT: {{^}}    #0 csp_send
// CHECK-NEXT: {{^}}    #1 waiter {{.*}}send_full_leak.c:[[#park]]:
// CHECK: {{^}}  sending on `results` (channel of capacity 1, made at {{.*}}send_full_leak.c:[[#made]]:{{[0-9]+}})
// CHECK: {{^}}  Coroutine {{[0-9]+}} (parked) created by main coroutine at:
// CHECK-NEXT: {{^}}    #0 csp_go
// CHECK-NEXT: {{^}}    #1 main {{.*}}send_full_leak.c:[[#go]]:
// CHECK: SUMMARY: CspThreadSanitizer: coroutine leak {{.*}}send_full_leak.c:[[#park]]:{{[0-9]+}} in waiter
// CHECK: CspThreadSanitizer: reported 1 warnings
