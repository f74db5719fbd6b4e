// pthread_detach_norace.c - a detached thread is ordered by what it unlocks.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#define INVISIBLE_THREADS
#include "invisible.h"

#include <pthread.h>

int value;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *writer(void *arg)
{
    pthread_mutex_lock(&lock);
    value = 1; // line: write
    pthread_mutex_unlock(&lock);
    invisible_step();
    return arg;
}

int main(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, writer, NULL);
    pthread_detach(thread);
    invisible_wait(1);
    pthread_mutex_lock(&lock);
    invisible_use(value); // line: read
    pthread_mutex_unlock(&lock);
    return 0;
}
