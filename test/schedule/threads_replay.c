// threads_replay.c - a program of plain pthreads is a function of its seed: 20 runs of one are the same, step for step.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %cspcc -fsanitize=cspthread -g -O1 %s -o %t
// RUN: %python %S/Inputs/replay.py --runs=20 --other-seeds=10 %t
// RUN: %python %S/Inputs/replay.py --runs=3 --other-seeds=0 --options=schedule=pct %t
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 4, ROUNDS = 5 };

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER, timed = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
static pthread_barrier_t barrier;
static pthread_spinlock_t spin;
static sem_t units;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int turns, log_size, tokens;
static char log_text[1024];
static atomic_uint mixed;

static void note(char what)
{
    pthread_mutex_lock(&m);
    log_text[log_size++] = what;
    pthread_mutex_unlock(&m);
}

static void begin(void)
{
    note('!');
}

static void wait_for_token(int id)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += id;
    pthread_mutex_lock(&m);
    while (!tokens)
        if (pthread_cond_timedwait(&c, &m, &until) == ETIMEDOUT)
            break;
    bool late = !tokens;
    tokens -= !late;
    log_text[log_size++] = late ? 'L' : 'T';
    pthread_mutex_unlock(&m);
}

static void give_token(void)
{
    pthread_mutex_lock(&m);
    tokens++;
    pthread_cond_signal(&c);
    pthread_mutex_unlock(&m);
}

static void take_timed(void)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += until.tv_nsec < 900000000 ? 3000000 : 0;
    if (pthread_mutex_timedlock(&timed, &until)) {
        note('-');
        return;
    }
    usleep(2000);
    note('+');
    pthread_mutex_unlock(&timed);
}

static void *work(void *arg)
{
    int id = (int)(intptr_t)arg;
    unsigned bits;
    pthread_once(&once, begin);
    for (int i = 0; i < ROUNDS; i++) {
        if ((id + i) % 3 == 0) {
            pthread_rwlock_wrlock(&rw);
            turns++;
        } else {
            pthread_rwlock_rdlock(&rw);
        }
        note((char)('0' + id));
        pthread_rwlock_unlock(&rw);
        sem_wait(&units);
        note((char)('a' + id));
        sem_post(&units);
        pthread_spin_lock(&spin);
        atomic_fetch_add(&mixed, 1u);
        pthread_spin_unlock(&spin);
        if (id & 1)
            give_token();
        else
            wait_for_token(id);
        take_timed();
        if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
            note('|');
        getrandom(&bits, sizeof bits, 0);
        atomic_fetch_xor(&mixed, bits);
    }
    return arg;
}

int main(void)
{
    pthread_t threads[THREADS];
    struct timespec end;
    pthread_barrier_init(&barrier, NULL, THREADS);
    pthread_spin_init(&spin, 0);
    sem_init(&units, 0, 2);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, work, (void *)(intptr_t)i);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    clock_gettime(CLOCK_MONOTONIC, &end);
    printf("%.*s %d %08x %ld.%09ld\n", log_size, log_text, turns, mixed, (long)end.tv_sec, end.tv_nsec);
    return 0;
}
