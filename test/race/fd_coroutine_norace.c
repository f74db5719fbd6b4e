// fd_coroutine_norace.c - a coroutine's write happens before another's read.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

#include <unistd.h>

int value;
static int ends[2];

static void writer(void *arg)
{
    (void)arg;
    value = 1; // line: write
    invisible_use(write(ends[1], "x", 1));
    invisible_step();
}

int main(void)
{
    if (pipe(ends))
        return 1;
    csp_go(writer, NULL);
    invisible_wait(1);
    char byte;
    if (read(ends[0], &byte, 1) != 1)
        return 1;
    invisible_use(value); // line: read
    return 0;
}
