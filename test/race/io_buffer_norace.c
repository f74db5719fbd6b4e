// io_buffer_norace.c - csp_read writes its buffer where it was called, after the bytes' writer.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

#include <sys/socket.h>

long buffer[2];
static int ends[2];

static void writer(void *arg)
{
    (void)arg;
    buffer[0] = 1; // line: write
    invisible_use(csp_write(ends[1], "12345678", 8));
    invisible_step();
}

int main(void)
{
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
        return 1;
    csp_go(writer, NULL);
    invisible_wait(1);
    if (csp_read(ends[0], buffer, sizeof buffer) != 8) // line: read
        return 1;
    return 0;
}
