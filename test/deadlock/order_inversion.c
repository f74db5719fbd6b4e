// order_inversion.c - two orders, of which nothing went wrong this time: both acquisitions of both sides.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include <csp/csp.h>

static csp_mutex a, b;
static int turn; // one after the other, by relaxed atomics, which order nothing

static void wait_for_turn(int mine)
{
    while (__atomic_load_n(&turn, __ATOMIC_RELAXED) != mine)
        csp_yield();
}

static void give_turn(int next)
{
    __atomic_store_n(&turn, next, __ATOMIC_RELAXED);
}

static void forth(void *arg)
{
    (void)arg;
    csp_mutex_lock(&a); // line: a1
    csp_mutex_lock(&b); // line: b1
    csp_mutex_unlock(&b);
    csp_mutex_unlock(&a);
    give_turn(1);
}

static void back(void *arg)
{
    (void)arg;
    wait_for_turn(1);
    csp_mutex_lock(&b); // line: b2
    csp_mutex_lock(&a); // line: a2
    csp_mutex_unlock(&a);
    csp_mutex_unlock(&b);
    give_turn(2);
}

int main(void)
{
    csp_go(forth, NULL);
    csp_go(back, NULL);
    return 0;
}

// CHECK: {{^}}WARNING: CspThreadSanitizer: lock-order-inversion (potential deadlock) (pid={{[0-9]+}}){{$}}
// CHECK-NEXT: {{^}}  Cycle in lock order graph: M[[#X:]] ({{0x[0-9a-f]+}}) => M[[#Y:]] ({{0x[0-9a-f]+}}) => M[[X2:[0-9]+]]{{$}}
// CHECK-DAG: {{^}}  Mutex M{{[0-9]+}} acquired here while holding mutex M{{[0-9]+}} in coroutine {{T?[0-9]+}}:{{$}}
// CHECK-DAG: {{^}}    #1 forth {{.*}}order_inversion.c:[[#b1]]:
// CHECK-DAG: {{^}}  Mutex M{{[0-9]+}} previously acquired by the same coroutine here:{{$}}
// CHECK-DAG: {{^}}    #1 forth {{.*}}order_inversion.c:[[#a1]]:
// CHECK-DAG: {{^}}    #1 back {{.*}}order_inversion.c:[[#a2]]:
// CHECK-DAG: {{^}}    #1 back {{.*}}order_inversion.c:[[#b2]]:
// CHECK: {{^}}  Coroutine {{.*}} created by main coroutine at:{{$}}
// CHECK: SUMMARY: CspThreadSanitizer: lock-order-inversion (potential deadlock) {{.*}}order_inversion.c:{{[0-9]+}}:{{[0-9]+}} in {{forth|back}}{{$}}
// CHECK: CspThreadSanitizer: reported 1 warnings
