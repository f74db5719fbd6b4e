// abba_nodeadlock.c - both take the mutexes in one order.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include <csp/csp.h>

static csp_mutex a, b;

static void one(void *arg)
{
    (void)arg;
    csp_mutex_lock(&a);
    csp_yield();
    csp_mutex_lock(&b);
    csp_mutex_unlock(&b);
    csp_mutex_unlock(&a);
}

int main(void)
{
    csp_go(one, NULL);
    csp_go(one, NULL);
    return 0;
}
