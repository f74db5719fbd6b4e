// pthread_sem_initial_norace.c - without initial units it is the posted one that is taken.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#define INVISIBLE_THREADS
#include "invisible.h"

#include <pthread.h>
#include <semaphore.h>

int value;
static sem_t units;

static void *writer(void *arg)
{
    value = 1; // line: write
    sem_post(&units);
    invisible_step();
    return arg;
}

int main(void)
{
    sem_init(&units, 0, 0);
    pthread_t thread;
    pthread_create(&thread, NULL, writer, NULL);
    invisible_wait(1);
    sem_wait(&units);
    invisible_use(value); // line: read
    pthread_join(thread, NULL);
    return 0;
}
