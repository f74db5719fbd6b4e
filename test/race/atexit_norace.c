// atexit_norace.c - what happened before an exit handler was registered happens before it runs.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

#include <stdlib.h>

int value, other;

static void on_end(void)
{
    invisible_use(value);
}

static void on_end_with(int status, void *arg)
{
    invisible_use(status + *(int *)arg);
}

static void registers(void *arg)
{
    (void)arg;
    value = 1;
    atexit(on_end);
    other = 2;
    on_exit(on_end_with, &other);
    invisible_step();
}

int main(void)
{
    csp_go(registers, NULL);
    invisible_wait(1);
    return 0;
}
