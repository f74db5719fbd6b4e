// pthread_rwlock_two_readers_norace.c - a write lock orders both ways.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#define INVISIBLE_THREADS
#include "invisible.h"

#include <pthread.h>

int value;
static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;

static void *writer(void *arg)
{
    pthread_rwlock_wrlock(&lock);
    value = 1; // line: write
    pthread_rwlock_unlock(&lock);
    invisible_step();
    return arg;
}

int main(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, writer, NULL);
    invisible_wait(1);
    pthread_rwlock_rdlock(&lock);
    invisible_use(value); // line: read
    pthread_rwlock_unlock(&lock);
    pthread_join(thread, NULL);
    return 0;
}
