// fork.c - the child of a fork goes on being checked, and its reports carry its own pid.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check %s
#define INVISIBLE_THREADS
#include "../race/invisible.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int value;

static void *writer(void *arg)
{
    value = 1;
    invisible_step();
    return arg;
}

static int race(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, writer, NULL);
    invisible_wait(1);
    value = 2;
    pthread_join(thread, NULL);
    return 0;
}

int main(void)
{
    pid_t child = fork();
    if (child == 0)
        exit(race());
    int status;
    waitpid(child, &status, 0);
    return !(WIFEXITED(status) && WEXITSTATUS(status) == 66);
}

// CHECK: WARNING: CspThreadSanitizer: data race
// CHECK: reported 1 warnings
// CHECK-NOT: reported
