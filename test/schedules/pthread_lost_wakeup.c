// pthread_lost_wakeup.c - a thread waits for a signal without asking whether it has come.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Bug: a condition variable remembers nothing: a signal before the wait is lost.
// Order: main signals before the thread waits.
// Depth: 1. Shows as: deadlock.
// Source: lost wake-up; SCTBench sync01. POSIX threads only.
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t started = PTHREAD_COND_INITIALIZER;
static bool is_started;

static void *wait_for_start(void *arg)
{
    pthread_mutex_lock(&lock);
#ifdef FIXED
    while (!is_started)
#endif
        pthread_cond_wait(&started, &lock);
    pthread_mutex_unlock(&lock);
    return arg;
}

int main(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, wait_for_start, NULL);
    usleep(2000); // "it waits by now"
    pthread_mutex_lock(&lock);
    is_started = true;
    pthread_cond_signal(&started);
    pthread_mutex_unlock(&lock);
    pthread_join(thread, NULL);
    return 0;
}
