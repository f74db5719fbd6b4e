// order_readers_inversion.c - readers that want to read the other one, and writers who can come between.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include <csp/csp.h>

static csp_rwmutex a, b;
static int n_done; // relaxed: orders nothing

static void forth(void *arg)
{
    (void)arg;
    csp_rwmutex_rlock(&a);
    csp_rwmutex_rlock(&b);
    csp_rwmutex_runlock(&b);
    csp_rwmutex_runlock(&a);
    __atomic_fetch_add(&n_done, 1, __ATOMIC_RELAXED);
}

static void back(void *arg)
{
    (void)arg;
    csp_rwmutex_rlock(&b);
    csp_rwmutex_rlock(&a);
    csp_rwmutex_runlock(&a);
    csp_rwmutex_runlock(&b);
    __atomic_fetch_add(&n_done, 1, __ATOMIC_RELAXED);
}

static void writer(void *arg)
{
    (void)arg;
    csp_rwmutex_lock(&a);
    csp_rwmutex_unlock(&a);
    csp_rwmutex_lock(&b);
    csp_rwmutex_unlock(&b);
}

int main(void)
{
    csp_go(forth, NULL);
    csp_go(back, NULL);
    while (__atomic_load_n(&n_done, __ATOMIC_RELAXED) < 2)
        csp_yield();
    csp_go(writer, NULL);
    return 0;
}

// CHECK: {{^}}WARNING: CspThreadSanitizer: lock-order-inversion (potential deadlock)
// CHECK: CspThreadSanitizer: reported 1 warnings
