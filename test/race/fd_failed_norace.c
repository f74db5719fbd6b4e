// fd_failed_norace.c - a read that succeeds gives the order.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#define _GNU_SOURCE // pipe2
#define INVISIBLE_THREADS
#include "invisible.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

int value;
static int ends[2];

static void *writer(void *arg)
{
    value = 1; // line: write
    invisible_use(write(ends[1], "x", 1));
    invisible_step();
    return arg;
}

int main(void)
{
    if (pipe2(ends, O_NONBLOCK))
        return 1;
    pthread_t thread;
    pthread_create(&thread, NULL, writer, NULL);
    invisible_wait(1);
    if (read(ends[0], &(char){0}, 1) != 1)
        return 1;
    invisible_use(value); // line: read
    pthread_join(thread, NULL);
    return 0;
}
