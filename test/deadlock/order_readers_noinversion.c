// order_readers_noinversion.c - readers that want to read the other one, and nobody ever writes.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include <csp/csp.h>

static csp_rwmutex a, b;

static void forth(void *arg)
{
    (void)arg;
    csp_rwmutex_rlock(&a);
    csp_rwmutex_rlock(&b);
    csp_rwmutex_runlock(&b);
    csp_rwmutex_runlock(&a);
}

static void back(void *arg)
{
    (void)arg;
    csp_rwmutex_rlock(&b);
    csp_rwmutex_rlock(&a);
    csp_rwmutex_runlock(&a);
    csp_rwmutex_runlock(&b);
}

int main(void)
{
    csp_go(forth, NULL);
    csp_go(back, NULL);
    return 0;
}
