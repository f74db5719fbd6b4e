// timer_reset_norace.c - setting a timer again happens before its function runs.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

int value;
static csp_timer *timer;

static void expired(void *arg)
{
    (void)arg;
    invisible_wait(1);
    invisible_use(value); // line: read
    invisible_step();
}

int main(void)
{
    timer = csp_timer_new(3600 * CSP_SECOND, expired, NULL);
    value = 1; // line: write
    csp_timer_reset(timer, CSP_MS);
    invisible_step();
    invisible_wait(2);
    csp_timer_free(timer);
    return 0;
}
