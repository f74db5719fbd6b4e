// fd_flock_norace.c - unlocking an open file happens before locking it, by another open of it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#define _GNU_SOURCE
#define INVISIBLE_THREADS
#include "invisible.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

int value;
static int mine, other;

static void *writer(void *arg)
{
    invisible_use(flock(other, LOCK_EX));
    value = 1; // line: write
    invisible_use(flock(other, LOCK_UN));
    invisible_step();
    return arg;
}

int main(void)
{
    char path[] = "/tmp/cspthread_fd_flock_XXXXXX", again[64];
    mine = mkstemp(path);
    snprintf(again, sizeof again, "/proc/self/fd/%d", mine);
    other = open(again, O_RDWR);
    unlink(path);
    pthread_t thread;
    pthread_create(&thread, NULL, writer, NULL);
    invisible_wait(1);
    invisible_use(flock(mine, LOCK_EX));
    invisible_use(value); // line: read
    invisible_use(flock(mine, LOCK_UN));
    pthread_join(thread, NULL);
    return 0;
}
