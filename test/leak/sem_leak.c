// sem_leak.c - a permit that never comes.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include <csp/csp.h>

static csp_sem permits;

static void waiter(void *arg)
{
    (void)arg;
    csp_sem_acquire(&permits, 1); // line: park
}

int main(void)
{
    csp_sem_init(&permits, 0);
    csp_go(waiter, NULL); // line: go
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: coroutine leak (pid={{[0-9]+}})
// CHECK-NEXT: {{^}}  Coroutine {{[0-9]+}} is parked in {{.*}} for {{.*}}:
// CHECK-NEXT: {{^}}    #0 csp_sem_acquire
// CHECK-NEXT: {{^}}    #1 waiter {{.*}}sem_leak.c:[[#park]]:
// CHECK: {{^}}  Coroutine {{[0-9]+}} (parked) created by main coroutine at:
// CHECK-NEXT: {{^}}    #0 csp_go
// CHECK-NEXT: {{^}}    #1 main {{.*}}sem_leak.c:[[#go]]:
// CHECK: SUMMARY: CspThreadSanitizer: coroutine leak {{.*}}sem_leak.c:[[#park]]:{{[0-9]+}} in waiter
// CHECK: CspThreadSanitizer: reported 1 warnings
