// pthread_exit_norace.c - what runs on a thread's stack after pthread_exit or a cancellation finds no dead frames.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static pthread_key_t key;
static int destroyed, cleaned, waiting;

__attribute__((noinline)) static int fill(int depth)
{
    char room[256];
    memset(room, depth, sizeof room);
    return depth ? fill(depth - 1) + room[depth] : room[0];
}

static void destroy(void *p)
{
    pthread_mutex_lock(&lock);
    destroyed += *(int *)p + fill(10) * 0;
    pthread_mutex_unlock(&lock);
    free(p);
}

static void set_value(void)
{
    int *p = malloc(sizeof *p);
    *p = 1;
    pthread_setspecific(key, p);
}

static void *exits(void *arg)
{
    set_value();
    if (!arg)
        pthread_exit(NULL); // from a frame that libc's and the destructor's will lie upon
    return arg;
}

static void clean(void *mutex)
{
    cleaned++;
    pthread_mutex_unlock(mutex);
}

static void *is_cancelled(void *arg)
{
    set_value();
    pthread_mutex_lock(&lock);
    pthread_cleanup_push(clean, &lock);
    waiting = 1;
    while (arg == NULL)
        pthread_cond_wait(&never, &lock);
    pthread_cleanup_pop(1);
    return arg;
}

int main(void)
{
    pthread_t thread;
    pthread_key_create(&key, destroy);
    for (int i = 0; i < 3; i++) {
        pthread_create(&thread, NULL, exits, NULL);
        pthread_join(thread, NULL);
    }
    pthread_create(&thread, NULL, is_cancelled, NULL);
    for (int ready = 0; !ready;) {
        pthread_mutex_lock(&lock);
        ready = waiting;
        pthread_mutex_unlock(&lock);
    }
    pthread_cancel(thread);
    pthread_join(thread, NULL);
    return destroyed != 4 || cleaned != 1;
}
