// pthread_cancel_norace.c - what a cancelled thread and its cleanup handlers did happens before pthread_join returns.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#define INVISIBLE_THREADS
#include "invisible.h"

#include <pthread.h>
#include <unistd.h>

int value;

static void clean_up(void *arg)
{
    (void)arg;
    value = 1; // line: write
    invisible_step();
}

static void *waits_for_ever(void *arg)
{
    pthread_cleanup_push(clean_up, NULL);
    for (;;)
        pause();
    pthread_cleanup_pop(0);
    return arg;
}

int main(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, waits_for_ever, NULL);
    pthread_cancel(thread);
    invisible_wait(1);
    pthread_join(thread, NULL);
    invisible_use(value); // line: read
    return 0;
}
