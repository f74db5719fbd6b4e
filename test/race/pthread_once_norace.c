// pthread_once_norace.c - the end of the function happens before every pthread_once returns.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#define INVISIBLE_THREADS
#include "invisible.h"

#include <pthread.h>

int value;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void initialise(void)
{
    value = 1; // line: write
}

static void *writer(void *arg)
{
    pthread_once(&once, initialise);
    invisible_step();
    return arg;
}

int main(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, writer, NULL);
    invisible_wait(1);
    pthread_once(&once, initialise);
    invisible_use(value); // line: read
    pthread_join(thread, NULL);
    return 0;
}
