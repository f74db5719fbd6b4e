// cond_leak.c - a condition that nobody signals.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include <csp/csp.h>

static csp_mutex lock;
static csp_cond changed;
static bool through;

static void waiter(void *arg)
{
    (void)arg;
    csp_mutex_lock(&lock);
    csp_cond_wait(&changed, &lock); // line: park
    through = true;
    csp_mutex_unlock(&lock);
}

int main(void)
{
    csp_go(waiter, NULL); // line: go
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: coroutine leak (pid={{[0-9]+}})
// CHECK-NEXT: {{^}}  Coroutine {{[0-9]+}} is parked in sync.Cond.Wait for {{.*}}:
// CHECK-NEXT: {{^}}    #0 csp_cond_wait
// CHECK-NEXT: {{^}}    #1 waiter {{.*}}cond_leak.c:[[#park]]:
// CHECK: {{^}}  Coroutine {{[0-9]+}} (parked) created by main coroutine at:
// CHECK-NEXT: {{^}}    #0 csp_go
// CHECK-NEXT: {{^}}    #1 main {{.*}}cond_leak.c:[[#go]]:
// CHECK: SUMMARY: CspThreadSanitizer: coroutine leak {{.*}}cond_leak.c:[[#park]]:{{[0-9]+}} in waiter
// CHECK: CspThreadSanitizer: reported 1 warnings
