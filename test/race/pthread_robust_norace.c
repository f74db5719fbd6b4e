// pthread_robust_norace.c - a robust mutex whose owner ended: what the owner did is ordered before its next lock.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#define INVISIBLE_THREADS
#include "invisible.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>

static pthread_mutex_t lock;
static int value;

static void *ends(void *arg)
{
    pthread_mutex_lock(&lock);
    value = 1;
    return arg;
}

int main(void)
{
    pthread_t thread;
    pthread_attr_t small; // the smallest stack there is will do here, as it does without the detector
    pthread_mutexattr_t robust;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 16384);
    pthread_mutexattr_init(&robust);
    pthread_mutexattr_setrobust(&robust, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&lock, &robust);
    if (pthread_create(&thread, &small, ends, NULL))
        return 1;
    while (pthread_mutex_lock(&lock) != EOWNERDEAD) {
        pthread_mutex_unlock(&lock);
        invisible_pause();
    }
    int seen = value;
    pthread_mutex_consistent(&lock);
    pthread_mutex_unlock(&lock);
    pthread_join(thread, NULL);
    return seen != 1;
}
