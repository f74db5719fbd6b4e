// order_three_inversion.c - a cycle of three locks.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include <csp/csp.h>

static csp_mutex a, b, c;
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
    csp_mutex_lock(&a);
    csp_mutex_lock(&b);
    csp_mutex_unlock(&b);
    csp_mutex_unlock(&a);
    give_turn(1);
}

static void back(void *arg)
{
    (void)arg;
    wait_for_turn(1);
    csp_mutex_lock(&b);
    csp_mutex_lock(&c);
    csp_mutex_unlock(&c);
    csp_mutex_unlock(&b);
    give_turn(2);
}

static void third(void *arg)
{
    (void)arg;
    wait_for_turn(2);
    csp_mutex_lock(&c);
    csp_mutex_lock(&a);
    csp_mutex_unlock(&a);
    csp_mutex_unlock(&c);
}

int main(void)
{
    csp_go(forth, NULL);
    csp_go(back, NULL);
    csp_go(third, NULL);
    return 0;
}

// CHECK: {{^}}  Cycle in lock order graph: M{{[0-9]+}} ({{.*}}) => M{{[0-9]+}} ({{.*}}) => M{{[0-9]+}} ({{.*}}) => M{{[0-9]+}}{{$}}
// CHECK: CspThreadSanitizer: reported 1 warnings
