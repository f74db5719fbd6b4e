// rlock_leak.c - a reader waiting for a writer that never unlocks.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include <csp/csp.h>

static csp_rwmutex lock;

static void waiter(void *arg)
{
    (void)arg;
    csp_rwmutex_rlock(&lock); // line: park
    csp_rwmutex_runlock(&lock);
}

int main(void)
{
    csp_rwmutex_lock(&lock);
    csp_go(waiter, NULL); // line: go
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: coroutine leak (pid={{[0-9]+}})
// CHECK-NEXT: {{^}}  Coroutine {{[0-9]+}} is parked in sync.RWMutex.RLock for {{.*}}:
// CHECK-NEXT: {{^}}    #0 csp_rwmutex_rlock
// CHECK-NEXT: {{^}}    #1 waiter {{.*}}rlock_leak.c:[[#park]]:
// CHECK: {{^}}  Coroutine {{[0-9]+}} (parked) created by main coroutine at:
// CHECK-NEXT: {{^}}    #0 csp_go
// CHECK-NEXT: {{^}}    #1 main {{.*}}rlock_leak.c:[[#go]]:
// CHECK: SUMMARY: CspThreadSanitizer: coroutine leak {{.*}}rlock_leak.c:[[#park]]:{{[0-9]+}} in waiter
// CHECK: CspThreadSanitizer: reported 1 warnings
