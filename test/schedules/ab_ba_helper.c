// ab_ba_helper.c - a thread helps another that is seen to be busy, and takes its lock for that.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Bug: the helper holds b and takes a; the one that is helped holds a and takes b. The second order exists only while
// the flag is up.
// Order: A takes a and raises the flag, B takes b and sees the flag, each waits for the other.
// Depth: 2. Shows as: deadlock.
// Source: AB-BA behind a condition; moby#17176, kubernetes#13135 in GoKer (GoBench, CGO 2021). POSIX threads only.
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static atomic_bool wants_help;
static int done;

static void *work(void *arg)
{
    pthread_mutex_lock(&a);
    atomic_store(&wants_help, true);
    pthread_mutex_lock(&b);
    done++;
    pthread_mutex_unlock(&b);
    atomic_store(&wants_help, false);
    pthread_mutex_unlock(&a);
    return arg;
}

static void *help(void *arg)
{
#ifdef FIXED
    bool needed = atomic_load(&wants_help);
    if (needed)
        pthread_mutex_lock(&a);
    pthread_mutex_lock(&b);
#else
    pthread_mutex_lock(&b);
    bool needed = atomic_load(&wants_help);
    if (needed)
        pthread_mutex_lock(&a);
#endif
    done++;
    pthread_mutex_unlock(&b);
    if (needed)
        pthread_mutex_unlock(&a);
    return arg;
}

int main(void)
{
    pthread_t worker, helper;
    pthread_create(&worker, NULL, work, NULL);
    pthread_create(&helper, NULL, help, NULL);
    pthread_join(worker, NULL);
    pthread_join(helper, NULL);
    return 0;
}
