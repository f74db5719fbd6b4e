// once_norace.c - the end of the function happens before every csp_once_do returns.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

int value;
static csp_once once;

static void initialise(void *arg)
{
    (void)arg;
    value = 1; // line: write
}

static void first(void *arg)
{
    (void)arg;
    csp_once_do(&once, initialise, NULL);
    invisible_step();
}

int main(void)
{
    csp_go(first, NULL);
    invisible_wait(1);
    csp_once_do(&once, initialise, NULL);
    invisible_use(value); // line: read
    return 0;
}
