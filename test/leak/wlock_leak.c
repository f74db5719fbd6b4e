// wlock_leak.c - a writer waiting for a reader that never unlocks.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include <csp/csp.h>

static csp_rwmutex lock;

static void waiter(void *arg)
{
    (void)arg;
    csp_rwmutex_lock(&lock); // line: park
    csp_rwmutex_unlock(&lock);
}

int main(void)
{
    csp_rwmutex_rlock(&lock);
    csp_go(waiter, NULL); // line: go
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: coroutine leak (pid={{[0-9]+}})
// CHECK-NEXT: {{^}}  Coroutine {{[0-9]+}} is parked in sync.RWMutex.Lock for {{.*}}:
// CHECK-NEXT: {{^}}    #0 csp_rwmutex_lock
// CHECK-NEXT: {{^}}    #1 waiter {{.*}}wlock_leak.c:[[#park]]:
// CHECK: {{^}}  Coroutine {{[0-9]+}} (parked) created by main coroutine at:
// CHECK-NEXT: {{^}}    #0 csp_go
// CHECK-NEXT: {{^}}    #1 main {{.*}}wlock_leak.c:[[#go]]:
// CHECK: SUMMARY: CspThreadSanitizer: coroutine leak {{.*}}wlock_leak.c:[[#park]]:{{[0-9]+}} in waiter
// CHECK: CspThreadSanitizer: reported 1 warnings
