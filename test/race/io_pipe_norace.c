// io_pipe_norace.c - a csp_write happens before the csp_read that returns its bytes.
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
    invisible_use(csp_write(ends[1], "x", 1));
    invisible_step();
}

int main(void)
{
    if (pipe(ends))
        return 1;
    csp_go(writer, NULL);
    char byte;
    if (csp_read(ends[0], &byte, 1) != 1)
        return 1;
    invisible_wait(1);
    invisible_use(value); // line: read
    return 0;
}
