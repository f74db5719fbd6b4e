// fd_socketpair_norace.c - both ends of a socketpair are one object.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#define INVISIBLE_THREADS
#include "invisible.h"

#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

int value;
static int ends[2];

static void *writer(void *arg)
{
    value = 1; // line: write
    invisible_use(send(ends[1], "x", 1, 0));
    invisible_step();
    return arg;
}

int main(void)
{
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
        return 1;
    pthread_t thread;
    pthread_create(&thread, NULL, writer, NULL);
    char byte;
    if (recv(ends[0], &byte, 1, 0) != 1)
        return 1;
    invisible_wait(1);
    invisible_use(value); // line: read
    pthread_join(thread, NULL);
    return 0;
}
