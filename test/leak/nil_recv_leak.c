// nil_recv_leak.c - receiving from a NULL channel parks for ever.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include <csp/csp.h>

static csp_chan *nothing;

static void waiter(void *arg)
{
    (void)arg;
    csp_recv(nothing, NULL); // line: park
}

int main(void)
{
    csp_go(waiter, NULL); // line: go
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: coroutine leak (pid={{[0-9]+}})
// CHECK-NEXT: {{^}}  Coroutine {{[0-9]+}} is parked in chan receive (nil chan) for {{.*}}:
// CHECK-NEXT: {{^}}    #0 csp_recv
// CHECK-NEXT: {{^}}    #1 waiter {{.*}}nil_recv_leak.c:[[#park]]:
// CHECK: {{^}}  Coroutine {{[0-9]+}} (parked) created by main coroutine at:
// CHECK-NEXT: {{^}}    #0 csp_go
// CHECK-NEXT: {{^}}    #1 main {{.*}}nil_recv_leak.c:[[#go]]:
// CHECK: SUMMARY: CspThreadSanitizer: coroutine leak {{.*}}nil_recv_leak.c:[[#park]]:{{[0-9]+}} in waiter
// CHECK: CspThreadSanitizer: reported 1 warnings
