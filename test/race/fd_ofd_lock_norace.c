// fd_ofd_lock_norace.c - unlocking an open file happens before locking it, by another open of it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#define _GNU_SOURCE
#define INVISIBLE_THREADS
#include "invisible.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int value;
static int mine, other;

static int set_lock(int fd, short type)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_len = 1};
    return fcntl(fd, F_OFD_SETLKW, &lock);
}

static void *writer(void *arg)
{
    invisible_use(set_lock(other, F_WRLCK));
    value = 1; // line: write
    invisible_use(set_lock(other, F_UNLCK));
    invisible_step();
    return arg;
}

int main(void)
{
    char path[] = "/tmp/cspthread_fd_ofd_lock_XXXXXX", again[64];
    mine = mkstemp(path);
    snprintf(again, sizeof again, "/proc/self/fd/%d", mine);
    other = open(again, O_RDWR);
    unlink(path);
    pthread_t thread;
    pthread_create(&thread, NULL, writer, NULL);
    invisible_wait(1);
    invisible_use(set_lock(mine, F_WRLCK));
    invisible_use(value); // line: read
    invisible_use(set_lock(mine, F_UNLCK));
    pthread_join(thread, NULL);
    return 0;
}
