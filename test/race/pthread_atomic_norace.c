// pthread_atomic_norace.c - a release store happens before the acquire load that reads it, also between threads.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#define INVISIBLE_THREADS
#include "invisible.h"

#include <pthread.h>
#include <stdatomic.h>

int value;
static atomic_int flag;

static void *writer(void *arg)
{
    value = 1; // line: write
    atomic_store_explicit(&flag, 1, memory_order_release);
    invisible_step();
    return arg;
}

int main(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, writer, NULL);
    while (!atomic_load_explicit(&flag, memory_order_acquire))
        invisible_pause();
    invisible_use(value); // line: read
    pthread_join(thread, NULL);
    return 0;
}
