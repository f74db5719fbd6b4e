// pthread_mutex_trylock_norace.c - a try-lock that succeeds is ordered after the last unlock.
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
    invisible_wait(2);
    return arg;
}

int main(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, writer, NULL);
    invisible_wait(1);
    int failed = pthread_mutex_trylock(&lock);
    invisible_use(value); // line: read
    if (!failed)
        pthread_mutex_unlock(&lock);
    invisible_step();
    pthread_join(thread, NULL);
    return 0;
}
