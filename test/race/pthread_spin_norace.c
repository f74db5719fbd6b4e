// pthread_spin_norace.c - unlock of a spin lock happens before the next lock.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#define INVISIBLE_THREADS
#include "invisible.h"

#include <pthread.h>

int value;
static pthread_spinlock_t lock;

static void *writer(void *arg)
{
    pthread_spin_lock(&lock);
    value = 1; // line: write
    pthread_spin_unlock(&lock);
    invisible_step();
    return arg;
}

int main(void)
{
    pthread_spin_init(&lock, PTHREAD_PROCESS_PRIVATE);
    pthread_t thread;
    pthread_create(&thread, NULL, writer, NULL);
    invisible_wait(1);
    pthread_spin_lock(&lock);
    invisible_use(value); // line: read
    pthread_spin_unlock(&lock);
    pthread_join(thread, NULL);
    return 0;
}
