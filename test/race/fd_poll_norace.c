// fd_poll_norace.c - the read after poll gives the order.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#define INVISIBLE_THREADS
#include "invisible.h"

#include <poll.h>
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
    if (pipe(ends))
        return 1;
    pthread_t thread;
    pthread_create(&thread, NULL, writer, NULL);
    struct pollfd wanted = {ends[0], POLLIN, 0};
    char byte;
    invisible_wait(1);
    if (poll(&wanted, 1, -1) != 1 || read(ends[0], &byte, 1) != 1)
        return 1;
    invisible_use(value); // line: read
    pthread_join(thread, NULL);
    return 0;
}
