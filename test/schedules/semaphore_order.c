// semaphore_order.c - a consumer takes the lock first and then waits for an item, which nobody can put without the lock.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Bug: two semaphores in the wrong order.
// Order: the consumer comes before the producer.
// Depth: 1. Shows as: deadlock.
// Source: E. W. Dijkstra, EWD 123, 1965: the bounded buffer; SCTBench circular_buffer for the shape. POSIX threads
// only.
#include <pthread.h>
#include <semaphore.h>
#include <stddef.h>

static sem_t lock, items;
static int queue;

static void *produce(void *arg)
{
    sem_wait(&lock);
    queue++;
    sem_post(&lock);
    sem_post(&items);
    return arg;
}

static void *consume(void *arg)
{
#ifdef FIXED
    sem_wait(&items);
    sem_wait(&lock);
#else
    sem_wait(&lock);
    sem_wait(&items);
#endif
    queue--;
    sem_post(&lock);
    return arg;
}

int main(void)
{
    pthread_t producer, consumer;
    sem_init(&lock, 0, 1);
    sem_init(&items, 0, 0);
    pthread_create(&producer, NULL, produce, NULL);
    pthread_create(&consumer, NULL, consume, NULL);
    pthread_join(producer, NULL);
    pthread_join(consumer, NULL);
    return 0;
}
