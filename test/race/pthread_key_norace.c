// pthread_key_norace.c - what a destructor of thread-specific data did happens before pthread_join returns.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#define INVISIBLE_THREADS
#include "invisible.h"

#include <pthread.h>

int value;
static pthread_key_t key;

static void destroy(void *arg)
{
    (void)arg;
    value = 1; // line: write
    invisible_step();
}

static void *user(void *arg)
{
    pthread_setspecific(key, &key);
    return arg;
}

int main(void)
{
    pthread_t thread;
    pthread_key_create(&key, destroy);
    pthread_create(&thread, NULL, user, NULL);
    invisible_wait(1);
    pthread_join(thread, NULL);
    invisible_use(value); // line: read
    return 0;
}
