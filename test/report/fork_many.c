// fork_many.c - forks while other threads are anywhere in the detector: children go on, with threads of their own.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace --procs=2 --runs=1 %s
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 4, FORKS = 40 };
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int shared[64];
static bool stops;

static void work(unsigned i)
{
    pthread_mutex_t own;
    pthread_mutex_init(&own, NULL);
    pthread_mutex_lock(&lock);
    shared[i % 64]++;
    pthread_mutex_unlock(&lock);
    char *p = malloc(100 + i % 5000);
    memset(p, 1, 100);
    free(p);
    pthread_mutex_destroy(&own);
}

static void *worker(void *arg)
{
    for (unsigned i = 0; !__atomic_load_n(&stops, __ATOMIC_ACQUIRE); i++)
        work(i);
    return arg;
}

static void *few(void *arg)
{
    for (unsigned i = 0; i < 10; i++)
        free(malloc(i));
    return arg;
}

static void child(void)
{
    pthread_t thread;
    few(NULL);
    if (pthread_create(&thread, NULL, few, NULL) || pthread_join(thread, NULL))
        _exit(1);
    _exit(0);
}

int main(void)
{
    pthread_t threads[THREADS];
    int wrong = 0;
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, worker, NULL);
    for (int i = 0; i < FORKS; i++) {
        int status = 1;
        pid_t pid = fork();
        if (pid == 0)
            child();
        waitpid(pid, &status, 0);
        wrong += status != 0;
    }
    __atomic_store_n(&stops, true, __ATOMIC_RELEASE);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    return wrong;
}
