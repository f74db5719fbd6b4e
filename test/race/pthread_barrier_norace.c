// pthread_barrier_norace.c - all that arrive at a barrier happen before all that leave it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#define INVISIBLE_THREADS
#include "invisible.h"

#include <pthread.h>

int value;
static pthread_barrier_t barrier;

static void *writer(void *arg)
{
    value = 1; // line: write
    pthread_barrier_wait(&barrier);
    invisible_step();
    return arg;
}

int main(void)
{
    pthread_barrier_init(&barrier, NULL, 2);
    pthread_t thread;
    pthread_create(&thread, NULL, writer, NULL);
    pthread_barrier_wait(&barrier);
    invisible_wait(1);
    invisible_use(value); // line: read
    pthread_join(thread, NULL);
    return 0;
}
