// threads_mixed.c - coroutines and pthreads in one schedule: a pthread mutex is a coroutine's, though all of them are one OS thread.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A recursive mutex would let the next coroutine in, an error-checking one would call it a deadlock.
// RUN: %cspcc -fsanitize=cspthread -g -O1 %s -o %t
// RUN: %python %S/Inputs/same.py --seeds=8 --limit-s=30 --expect=%t.expected %t
// RUN: FileCheck %s < %t.expected
// RUN: %python %S/Inputs/replay.py --runs=4 --other-seeds=0 %t
#define _GNU_SOURCE
#include <csp/csp.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <unistd.h>

static pthread_mutex_t recursive, checked = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP, m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static sem_t units;
static csp_chan *ended;
static int inside, overlaps, errors, ready;

static void section(pthread_mutex_t *lock)
{
    if (pthread_mutex_lock(lock))
        errors++;
    overlaps += inside++;
    csp_yield();
    usleep(100);
    inside--;
    pthread_mutex_unlock(lock);
}

static void work(void *lock)
{
    int one = 1;
    for (int i = 0; i < 3; i++)
        section(lock);
    csp_send(ended, &one);
}

static void *work_in_thread(void *lock)
{
    work(lock);
    return lock;
}

static void wait_until_ready(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&m);
    while (!ready)
        pthread_cond_wait(&c, &m);
    pthread_mutex_unlock(&m);
    sem_post(&units);
}

static void *receive(void *arg)
{
    int v;
    csp_recv(ended, &v);
    return arg;
}

static void test_sections(pthread_mutex_t *lock)
{
    pthread_t threads[2];
    int sum = 0, one;
    csp_go(work, lock);
    csp_go(work, lock);
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, work_in_thread, lock);
    for (int i = 0; i < 4; i++) {
        csp_recv(ended, &one);
        sum += one;
    }
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    printf("ended %d overlaps %d errors %d\n", sum, overlaps, errors);
}

int main(void)
{
    pthread_mutexattr_t attr;
    pthread_t t;
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&recursive, &attr);
    ended = csp_chan_new(sizeof(int), 0);
    sem_init(&units, 0, 0);
    test_sections(&recursive); // CHECK: ended 4 overlaps 0 errors 0
    test_sections(&checked);   // CHECK: ended 4 overlaps 0 errors 0
    csp_go(wait_until_ready, NULL);
    csp_go(wait_until_ready, NULL);
    pthread_mutex_lock(&m);
    ready = 1;
    pthread_cond_broadcast(&c);
    pthread_mutex_unlock(&m);
    sem_wait(&units);
    sem_wait(&units);
    pthread_create(&t, NULL, receive, NULL);
    csp_send(ended, &ready);
    pthread_join(t, NULL);
    csp_sleep(3600 * CSP_SECOND);
    printf("end\n"); // CHECK: end
    csp_chan_free(ended);
    return 0;
}
