// access_no_sanitize_norace.c - a function exempted with no_sanitize("thread") is not checked.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

int value;
__attribute__((no_sanitize("thread"), noinline))
static void peek(void)
{
    invisible_use(value); // line: read
}

static void writer(void *arg)
{
    (void)arg;
    value = 1; // line: write
    invisible_step();
}

int main(void)
{
    csp_go(writer, NULL);
    invisible_wait(1);
    peek();
    return 0;
}
