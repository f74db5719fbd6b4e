// c11_thread_norace.c - C11 threads: what one did happens before thrd_join returns, and a mutex orders.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#define INVISIBLE_THREADS
#include "invisible.h"

#include <threads.h>

int value;
static mtx_t mutex;

static int writer(void *arg)
{
    (void)arg;
    mtx_lock(&mutex);
    value = 1; // line: write
    mtx_unlock(&mutex);
    invisible_step();
    return 0;
}

int main(void)
{
    thrd_t thread;
    mtx_init(&mutex, mtx_plain);
    thrd_create(&thread, writer, NULL);
    invisible_wait(1);
    mtx_lock(&mutex);
    invisible_use(value); // line: read
    mtx_unlock(&mutex);
    return thrd_join(thread, NULL) == thrd_success ? 0 : 1;
}
