// fd_stdio_norace.c - what a stream on a pipe was given happens before the read through a stream that returns it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#define INVISIBLE_THREADS
#include "invisible.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

int value;
static int ends[2];

static FILE *out;

static void *writer(void *arg)
{
    value = 1; // line: write
    fprintf(out, "%s\n", "text");
    fflush(out);
    invisible_step();
    return arg;
}

int main(void)
{
    if (pipe(ends))
        return 1;
    FILE *in = fdopen(ends[0], "r");
    out = fdopen(ends[1], "w");
    pthread_t thread;
    pthread_create(&thread, NULL, writer, NULL);
    char line[100];
    if (!in || !fgets(line, sizeof line, in))
        return 1;
    invisible_wait(1);
    invisible_use(value); // line: read
    pthread_join(thread, NULL);
    return 0;
}
