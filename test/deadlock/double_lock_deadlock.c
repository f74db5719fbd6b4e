// double_lock_deadlock.c - a coroutine locks twice: it waits for itself, while the others go on.
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

// CHECK: {{^}}WARNING: CspThreadSanitizer: deadlock (pid={{[0-9]+}}){{$}}
// CHECK: {{^}}  Coroutine [[C:[0-9]+]] waits for mutex M0 'm'
// CHECK-NEXT: {{^}}    #0 csp_mutex_lock
// CHECK-NEXT: {{^}}    #1 twice {{.*}}double_lock_deadlock.c:[[#second]]:
// CHECK: {{^}}  Coroutine [[C]] locked it at:
// CHECK-NEXT: {{^}}    #0 csp_mutex_lock
// CHECK-NEXT: {{^}}    #1 twice {{.*}}double_lock_deadlock.c:[[#first]]:
// CHECK: CspThreadSanitizer: reported 1 warnings
