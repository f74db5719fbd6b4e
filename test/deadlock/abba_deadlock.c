// abba_deadlock.c - two mutexes taken in opposite orders, and both coroutines have their first one.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include <csp/csp.h>

static csp_mutex a, b;
static csp_chan *has_a, *has_b;

static void first(void *arg)
{
    (void)arg;
    csp_mutex_lock(&a); // line: a1
    csp_send(has_a, NULL);
    csp_recv(has_b, NULL);
    csp_mutex_lock(&b); // line: b1
    csp_mutex_unlock(&b);
    csp_mutex_unlock(&a);
}

static void second(void *arg)
{
    (void)arg;
    csp_mutex_lock(&b); // line: b2
    csp_recv(has_a, NULL);
    csp_send(has_b, NULL);
    csp_mutex_lock(&a); // line: a2
    csp_mutex_unlock(&a);
    csp_mutex_unlock(&b);
}

int main(void)
{
    has_a = csp_chan_new(0, 0);
    has_b = csp_chan_new(0, 0);
    csp_go(first, NULL);
    csp_go(second, NULL);
    return 0; // the check at exit lets them run into it
}

// CHECK: {{^}}WARNING: CspThreadSanitizer: deadlock (pid={{[0-9]+}}){{$}}
// CHECK-NEXT: {{^}}  Coroutine [[X:[0-9]+]] => coroutine [[Y:[0-9]+]] => coroutine [[X]]{{$}}
// CHECK-DAG: {{^}}  Coroutine {{[0-9]+}} waits for mutex M{{[01]}} 'b' ({{0x[0-9a-f]+}}), at:{{$}}
// CHECK-DAG: {{^}}    #1 first {{.*}}abba_deadlock.c:[[#b1]]:
// CHECK-DAG: {{^}}    #1 second {{.*}}abba_deadlock.c:[[#b2]]:
// CHECK-DAG: {{^}}  Coroutine {{[0-9]+}} waits for mutex M{{[01]}} 'a' ({{0x[0-9a-f]+}}), at:{{$}}
// CHECK-DAG: {{^}}    #1 second {{.*}}abba_deadlock.c:[[#a2]]:
// CHECK-DAG: {{^}}    #1 first {{.*}}abba_deadlock.c:[[#a1]]:
// CHECK: SUMMARY: CspThreadSanitizer: deadlock {{.*}}abba_deadlock.c:
// CHECK-NOT: coroutine leak
// CHECK: CspThreadSanitizer: reported 1 warnings
