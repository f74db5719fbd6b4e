// fd_buffer_write_norace.c - write reads its buffer, here after the join.
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
    value = 1; // line: write
    invisible_step();
    return arg;
}

int main(void)
{
    if (pipe(ends))
        return 1;
    pthread_t thread;
    pthread_create(&thread, NULL, writer, NULL);
    invisible_wait(1);
    pthread_join(thread, NULL);
    invisible_use(write(ends[1], &value, sizeof value)); // line: read
    return 0;
}
