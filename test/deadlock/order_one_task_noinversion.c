// order_one_task_noinversion.c - two orders, but one coroutine took both: it cannot wait for itself.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
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
    csp_mutex_lock(&b); // line: b2
    csp_mutex_lock(&a); // line: a2
    csp_mutex_unlock(&a);
    csp_mutex_unlock(&b);
    give_turn(1);
}

static void back(void *arg)
{
    (void)arg;
    wait_for_turn(1);
    csp_yield();
    give_turn(2);
}

int main(void)
{
    csp_go(forth, NULL);
    csp_go(back, NULL);
    return 0;
}
