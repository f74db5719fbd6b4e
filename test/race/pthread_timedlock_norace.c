// pthread_timedlock_norace.c - a mutex taken by pthread_mutex_timedlock orders as any other.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#define INVISIBLE_THREADS
#include "invisible.h"

#include <pthread.h>
#include <time.h>

int value;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void lock(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    t.tv_sec += 1000;
    if (pthread_mutex_timedlock(&mutex, &t))
        __builtin_trap();
}

static void *writer(void *arg)
{
    lock();
    value = 1; // line: write
    pthread_mutex_unlock(&mutex);
    invisible_step();
    return arg;
}

int main(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, writer, NULL);
    invisible_wait(1);
    lock();
    invisible_use(value); // line: read
    pthread_mutex_unlock(&mutex);
    pthread_join(thread, NULL);
    return 0;
}
