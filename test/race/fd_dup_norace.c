// fd_dup_norace.c - a duplicate leads where its original does.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#define INVISIBLE_THREADS
#include "invisible.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

int value;
static int copies[3];

static void *writer(void *arg)
{
    value = 1; // line: write
    invisible_use(write(copies[2], "x", 1));
    invisible_step();
    return arg;
}

int main(void)
{
    int ends[2];
    if (pipe(ends))
        return 1;
    copies[0] = dup(ends[1]);
    copies[1] = fcntl(copies[0], F_DUPFD, 100);
    copies[2] = dup2(copies[1], 200);
    close(ends[1]);
    close(copies[0]);
    close(copies[1]);
    pthread_t thread;
    pthread_create(&thread, NULL, writer, NULL);
    char byte;
    if (read(ends[0], &byte, 1) != 1)
        return 1;
    invisible_wait(1);
    invisible_use(value); // line: read
    pthread_join(thread, NULL);
    return 0;
}
