// access_static_norace.c - static variables of a function are told apart.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

static volatile int *hidden(void)
{
    static volatile int counters[2];
    return counters;
}

static void other(void *arg)
{
    (void)arg;
    hidden()[0] = 1; // line: write
    invisible_step();
}

int main(void)
{
    csp_go(other, NULL);
    invisible_wait(1);
    hidden()[1] = 1;
    invisible_use(hidden()[1]);
    return 0;
}
