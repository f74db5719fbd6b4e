// timer_norace.c - making a timer happens before its function runs.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

int value;
static void expired(void *arg)
{
    (void)arg;
    invisible_wait(1);
    invisible_use(value); // line: read
    invisible_step();
}

int main(void)
{
    value = 1; // line: write
    csp_timer *t = csp_timer_new(CSP_MS, expired, NULL);
    invisible_step();
    invisible_wait(2);
    csp_timer_free(t);
    return 0;
}
