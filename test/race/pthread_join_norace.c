// pthread_join_norace.c - what a thread did happens before pthread_join returns.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#define INVISIBLE_THREADS
#include "invisible.h"

#include <pthread.h>

int value;
static void *writer(void *arg)
{
    value = 1; // line: write
    invisible_step();
    return arg;
}

int main(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, writer, NULL);
    invisible_wait(1);
    pthread_join(thread, NULL);
    invisible_use(value); // line: read
    return 0;
}
