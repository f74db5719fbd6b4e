// pthread_recursive_norace.c - a recursive mutex is released by its last unlock.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#define INVISIBLE_THREADS
#include "invisible.h"

#include <pthread.h>

int value;
static pthread_mutex_t lock;

static void *writer(void *arg)
{
    pthread_mutex_lock(&lock);
    pthread_mutex_lock(&lock);
    pthread_mutex_unlock(&lock);
    value = 1; // line: write
    pthread_mutex_unlock(&lock);
    invisible_step();
    return arg;
}

int main(void)
{
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&lock, &attributes);
    pthread_t thread;
    pthread_create(&thread, NULL, writer, NULL);
    invisible_wait(1);
    pthread_mutex_lock(&lock);
    invisible_use(value); // line: read
    pthread_mutex_unlock(&lock);
    pthread_join(thread, NULL);
    return 0;
}
