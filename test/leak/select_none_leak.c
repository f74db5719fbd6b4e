// select_none_leak.c - a select without cases parks for ever.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include <csp/csp.h>

static void waiter(void *arg)
{
    (void)arg;
    csp_select(NULL, 0); // line: park
}

int main(void)
{
    csp_go(waiter, NULL); // line: go
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: coroutine leak (pid={{[0-9]+}})
// CHECK-NEXT: {{^}}  Coroutine {{[0-9]+}} is parked in select (no cases) for {{.*}}:
// CHECK-NEXT: {{^}}    #0 csp_select
// CHECK-NEXT: {{^}}    #1 waiter {{.*}}select_none_leak.c:[[#park]]:
// CHECK: {{^}}  Coroutine {{[0-9]+}} (parked) created by main coroutine at:
// CHECK-NEXT: {{^}}    #0 csp_go
// CHECK-NEXT: {{^}}    #1 main {{.*}}select_none_leak.c:[[#go]]:
// CHECK: SUMMARY: CspThreadSanitizer: coroutine leak {{.*}}select_none_leak.c:[[#park]]:{{[0-9]+}} in waiter
// CHECK: CspThreadSanitizer: reported 1 warnings
