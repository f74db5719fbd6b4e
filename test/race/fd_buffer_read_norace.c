// fd_buffer_read_norace.c - read writes as many bytes as it returns, no more.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#define INVISIBLE_THREADS
#include "invisible.h"

#include <pthread.h>
#include <unistd.h>

long buffer[2];
static int ends[2];

static void *reader(void *arg)
{
    buffer[1] = 1; // line: write
    invisible_step();
    return arg;
}

int main(void)
{
    if (pipe(ends) || write(ends[1], "12345678", 8) != 8)
        return 1;
    pthread_t thread;
    pthread_create(&thread, NULL, reader, NULL);
    invisible_wait(1);
    if (read(ends[0], buffer, sizeof buffer) != 8) // line: read
        return 1;
    pthread_join(thread, NULL);
    return 0;
}
