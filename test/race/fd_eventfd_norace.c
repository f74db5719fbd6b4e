// fd_eventfd_norace.c - raising an eventfd's count happens before reading it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#define INVISIBLE_THREADS
#include "invisible.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

int value;
static int event;

static void *writer(void *arg)
{
    value = 1; // line: write
    eventfd_write(event, 1);
    invisible_step();
    return arg;
}

int main(void)
{
    event = eventfd(0, 0);
    pthread_t thread;
    pthread_create(&thread, NULL, writer, NULL);
    eventfd_t count;
    if (eventfd_read(event, &count))
        return 1;
    invisible_wait(1);
    invisible_use(value); // line: read
    pthread_join(thread, NULL);
    return 0;
}
