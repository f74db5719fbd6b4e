// wg_leak.c - a wait group that somebody forgot to finish.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include <csp/csp.h>

static csp_wg all;

static void waiter(void *arg)
{
    (void)arg;
    csp_wg_wait(&all); // line: park
}

int main(void)
{
    csp_wg_add(&all, 1);
    csp_go(waiter, NULL); // line: go
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: coroutine leak (pid={{[0-9]+}})
// CHECK-NEXT: {{^}}  Coroutine {{[0-9]+}} is parked in sync.WaitGroup.Wait for {{.*}}:
// CHECK-NEXT: {{^}}    #0 csp_wg_wait
// CHECK-NEXT: {{^}}    #1 waiter {{.*}}wg_leak.c:[[#park]]:
// CHECK: {{^}}  Coroutine {{[0-9]+}} (parked) created by main coroutine at:
// CHECK-NEXT: {{^}}    #0 csp_go
// CHECK-NEXT: {{^}}    #1 main {{.*}}wg_leak.c:[[#go]]:
// CHECK: SUMMARY: CspThreadSanitizer: coroutine leak {{.*}}wg_leak.c:[[#park]]:{{[0-9]+}} in waiter
// CHECK: CspThreadSanitizer: reported 1 warnings
