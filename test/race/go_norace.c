// go_norace.c - what is done before csp_go happens before the coroutine.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

int value;
static void child(void *arg)
{
    (void)arg;
    invisible_wait(1);
    invisible_use(value); // line: read
    invisible_step();
}

int main(void)
{
    value = 1; // line: write
    csp_go(child, NULL);
    invisible_step();
    invisible_wait(2);
    return 0;
}
