// pthread_errorcheck_norace.c - an error-checking mutex orders; refusing its owner changes nothing.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace --options=report_mutex_bugs=0 %s
#define INVISIBLE_THREADS
#include "invisible.h"

#include <errno.h>
#include <pthread.h>

int value;
static pthread_mutex_t mutex[2];

static void *writer(void *arg)
{
    pthread_mutex_lock(&mutex[0]);
    if (pthread_mutex_lock(&mutex[0]) != EDEADLK)
        return NULL;
    value = 1; // line: first
    pthread_mutex_unlock(&mutex[0]);
    invisible_step();
    return arg;
}

int main(void)
{
    pthread_mutexattr_t kind;
    pthread_mutexattr_init(&kind);
    pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_ERRORCHECK);
    for (int i = 0; i < 2; i++)
        pthread_mutex_init(&mutex[i], &kind);
    pthread_t thread;
    void *done;
    pthread_create(&thread, NULL, writer, mutex);
    invisible_wait(1);
    pthread_mutex_t *mine = &mutex[0];
    if (pthread_mutex_unlock(mine) != EPERM)
        return 1;
    pthread_mutex_lock(mine);
    value = 2; // line: second
    pthread_mutex_unlock(mine);
    pthread_join(thread, &done);
    return done == mutex ? 0 : 1;
}
