// fd_buffer_reuse_norace.c - the buffer of a write is free once the bytes were received.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#define INVISIBLE_THREADS
#include "invisible.h"

#include <pthread.h>
#include <unistd.h>

int value;
static int ends[2];

static void *writer(void *arg)
{
    invisible_use(write(ends[1], &value, sizeof value)); // line: write
    invisible_step();
    return arg;
}

int main(void)
{
    if (pipe(ends))
        return 1;
    pthread_t thread;
    pthread_create(&thread, NULL, writer, NULL);
    int copy;
    invisible_wait(1);
    if (read(ends[0], &copy, sizeof copy) != sizeof copy)
        return 1;
    value = 2; // line: read
    pthread_join(thread, NULL);
    return 0;
}
