// threads_lost_signal.c - a lost wake-up among plain pthreads is found.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A lost wake-up among plain pthreads: the flag is looked at without the mutex, and set before the waiter waits. Some schedule of few
// loses it, which is a deadlock; with the check under the mutex none does.
// RUN: %cspcc -fsanitize=cspthread -g -O1 %s -o %t
// RUN: %cspcc -fsanitize=cspthread -g -O1 -DFIXED %s -o %t.fixed
// RUN: %python %S/Inputs/until.py --seeds=200 --status=66 %t 2> %t.err
// RUN: FileCheck %s < %t.err
// RUN: %python %S/Inputs/until.py --seeds=60 --none %t.fixed
// CHECK: deadlock
#include <pthread.h>
#include <stdatomic.h>

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static atomic_int ready;

static void *producer(void *arg)
{
#ifdef FIXED
    pthread_mutex_lock(&m);
#endif
    atomic_store(&ready, 1);
    pthread_cond_signal(&c);
#ifdef FIXED
    pthread_mutex_unlock(&m);
#endif
    return arg;
}

int main(void)
{
    pthread_t t;
    pthread_create(&t, NULL, producer, NULL);
    pthread_mutex_lock(&m);
    while (!atomic_load(&ready))
        pthread_cond_wait(&c, &m);
    pthread_mutex_unlock(&m);
    pthread_join(t, NULL);
    return 0;
}
