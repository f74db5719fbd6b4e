// pthread_create_norace.c - what is done before pthread_create happens before the thread.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#define INVISIBLE_THREADS
#include "invisible.h"

#include <pthread.h>

int value;
static void *reader(void *arg)
{
    invisible_wait(1);
    invisible_use(value); // line: read
    return arg;
}

int main(void)
{
    pthread_t thread;
    value = 1; // line: write
    pthread_create(&thread, NULL, reader, NULL);
    invisible_step();
    pthread_join(thread, NULL);
    return 0;
}
