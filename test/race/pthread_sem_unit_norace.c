// pthread_sem_unit_norace.c - who takes the second unit, too, is ordered after its post.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#define INVISIBLE_THREADS
#include "invisible.h"

#include <pthread.h>
#include <semaphore.h>

int value;
static sem_t units;

static void *first(void *arg)
{
    sem_post(&units);
    invisible_step();
    return arg;
}

static void *writer(void *arg)
{
    invisible_wait(1);
    value = 1; // line: write
    sem_post(&units);
    invisible_step();
    return arg;
}

int main(void)
{
    sem_init(&units, 0, 0);
    pthread_t a, b;
    pthread_create(&a, NULL, first, NULL);
    pthread_create(&b, NULL, writer, NULL);
    invisible_wait(2);
    sem_wait(&units);
    if (1)
        sem_wait(&units);
    invisible_use(value); // line: read
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    return 0;
}
