// mutex_handoff_norace.c - a lock that is waited for carries the order from the one who unlocks.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

int value;
static csp_mutex lock;

static void writer(void *arg)
{
    (void)arg;
    csp_mutex_lock(&lock);
    invisible_step();
    invisible_settle();
    value = 1; // line: write
    csp_mutex_unlock(&lock);
    invisible_step();
}

int main(void)
{
    csp_go(writer, NULL);
    invisible_wait(1);
    csp_mutex_lock(&lock);
    invisible_wait(2);
    invisible_use(value); // line: read
    csp_mutex_unlock(&lock);
    return 0;
}
