// fork_child_norace.c - a forked child goes on being checked: what orders is seen there.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#define INVISIBLE_THREADS
#include "invisible.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int value;

static void *writer(void *arg)
{
    value = 1; // line: write
    invisible_step();
    return arg;
}

int main(void)
{
    int status;
    pthread_t thread;
    pid_t child = fork();
    if (child)
        return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : 1;
    pthread_create(&thread, NULL, writer, NULL);
    invisible_wait(1);
    pthread_join(thread, NULL);
    invisible_use(value); // line: read
    exit(0);
}
