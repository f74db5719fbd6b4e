// fd_number_norace.c - a close happens before the next open of the number.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#define INVISIBLE_THREADS
#include "invisible.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

int value;
static int number;

static void *writer(void *arg)
{
    value = 1; // line: write
    close(number);
    invisible_step();
    return arg;
}

int main(void)
{
    number = open("/dev/null", O_RDONLY);
    pthread_t thread;
    pthread_create(&thread, NULL, writer, NULL);
    while (open("/dev/null", O_RDONLY) != number)
        invisible_pause();
    invisible_wait(1);
    invisible_use(value); // line: read
    pthread_join(thread, NULL);
    return 0;
}
