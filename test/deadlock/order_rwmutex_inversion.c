// order_rwmutex_inversion.c - writers that want to read the other one.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include "../race/invisible.h"

static csp_rwmutex a, b;

static void forth(void *arg)
{
    (void)arg;
    csp_rwmutex_lock(&a);
    csp_rwmutex_rlock(&b);
    csp_rwmutex_runlock(&b);
    csp_rwmutex_unlock(&a);
    invisible_step();
}

static void back(void *arg)
{
    (void)arg;
    invisible_wait(1); // else they may really wait for each other
    csp_rwmutex_lock(&b);
    csp_rwmutex_rlock(&a);
    csp_rwmutex_runlock(&a);
    csp_rwmutex_unlock(&b);
}

int main(void)
{
    csp_go(forth, NULL);
    csp_go(back, NULL);
    return 0;
}

// CHECK: {{^}}WARNING: CspThreadSanitizer: lock-order-inversion (potential deadlock)
// CHECK: CspThreadSanitizer: reported 1 warnings
