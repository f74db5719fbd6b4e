// double_lock_deadlock.c - a coroutine locks twice: told at once, though the others go on; and it stays parked, as Go's does.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include <csp/csp.h>

static csp_mutex m;

static void twice(void *arg)
{
    (void)arg;
    csp_mutex_lock(&m); // line: first
    csp_mutex_lock(&m); // line: second
}

int main(void)
{
    csp_go(twice, NULL);
    return 0;
}

// CHECK: {{^}}WARNING: CspThreadSanitizer: double lock of a mutex (pid={{[0-9]+}}){{$}}
// CHECK-NEXT: {{^}}    #0 csp_mutex_lock
// CHECK-NEXT: {{^}}    #1 twice {{.*}}double_lock_deadlock.c:[[#second]]:
// CHECK: {{^}}  and:
// CHECK-NEXT: {{^}}    #0 csp_mutex_lock
// CHECK-NEXT: {{^}}    #1 twice {{.*}}double_lock_deadlock.c:[[#first]]:
// CHECK: CspThreadSanitizer: reported 1 warnings
