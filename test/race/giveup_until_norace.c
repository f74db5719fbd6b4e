// giveup_until_norace.c - a lock that was got in time is ordered after the unlock before it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

int value;
static csp_mutex m;

static void writer(void *arg)
{
    (void)arg;
    csp_mutex_lock(&m);
    value = 1; // line: write
    invisible_step();
    csp_mutex_unlock(&m);
}

int main(void)
{
    csp_go(writer, NULL);
    invisible_wait(1);
    if (!csp_mutex_lock_until(&m, csp_now() + CSP_MINUTE))
        return 1;
    invisible_use(value); // line: read
    return 0;
}
