// fd_file_norace.c - a write to a file happens before a read of it, also through another open.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#define INVISIBLE_THREADS
#include "invisible.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int value;
static int out;

static void *writer(void *arg)
{
    value = 1; // line: write
    invisible_use(pwrite(out, "x", 1, 0));
    invisible_step();
    return arg;
}

int main(void)
{
    char path[] = "/tmp/cspthread_fd_file_XXXXXX", again[64];
    out = mkstemp(path);
    snprintf(again, sizeof again, "/proc/self/fd/%d", out);
    int in = open(again, O_RDONLY);
    unlink(path);
    pthread_t thread;
    pthread_create(&thread, NULL, writer, NULL);
    char byte;
    while (pread(in, &byte, 1, 0) != 1)
        invisible_pause();
    invisible_wait(1);
    invisible_use(value); // line: read
    pthread_join(thread, NULL);
    return 0;
}
