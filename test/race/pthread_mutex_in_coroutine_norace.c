// pthread_mutex_in_coroutine_norace.c - a pthread mutex held by a coroutine belongs to the coroutine, not to its OS thread.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

#include <pthread.h>

int value;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void writer(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&lock);
    value = 1; // line: write
    pthread_mutex_unlock(&lock);
    invisible_step();
}

int main(void)
{
    csp_go(writer, NULL);
    invisible_wait(1);
    pthread_mutex_lock(&lock);
    invisible_use(value); // line: read
    pthread_mutex_unlock(&lock);
    return 0;
}
