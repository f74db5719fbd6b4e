// at_once.c - many threads and coroutines race at once: none of the races is lost, none is reported twice, no report is garbled.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %cspcc -fsanitize=cspthread -g -O1 %s -o %t
// RUN: env CSP_MAXPROCS=4 %python %test_dir/scale/at_once.py %if full %{ 20 %} %else %{ 2 %} %t
//
// Each of 64 variables is written by a function of its own in a thread, and by another one in a coroutine; all of them start at
// once and nothing orders them. The functions end in the variable's number.
#include "../race/invisible.h"

#include <pthread.h>

#define EACH_OF_8(X, n) X(n##0) X(n##1) X(n##2) X(n##3) X(n##4) X(n##5) X(n##6) X(n##7)
#define EACH(X)                                                                                                                   \
    EACH_OF_8(X, 0) EACH_OF_8(X, 1) EACH_OF_8(X, 2) EACH_OF_8(X, 3) EACH_OF_8(X, 4) EACH_OF_8(X, 5) EACH_OF_8(X, 6) EACH_OF_8(X, 7)

#define DEFINE(n)                                                                                                                  \
    long v##n;                                                                                                                     \
    __attribute__((noinline)) static void thread_##n(void)                                                                        \
    {                                                                                                                              \
        v##n = 1;                                                                                                                  \
    }                                                                                                                              \
    __attribute__((noinline)) static void coroutine_##n(void)                                                                     \
    {                                                                                                                              \
        v##n = 2;                                                                                                                  \
    }
EACH(DEFINE)

#define THREAD(n) thread_##n,
#define COROUTINE(n) coroutine_##n,
static void (*const in_threads[])(void) = {EACH(THREAD)};
static void (*const in_coroutines[])(void) = {EACH(COROUTINE)};
enum { N = 64, EACH_DOES = 8 };

static void do_some(void (*const *fns)(void), long from)
{
    invisible_step();
    invisible_wait(2 * N / EACH_DOES);
    for (int i = 0; i < EACH_DOES; i++)
        fns[from + i]();
}

static void *thread(void *from)
{
    do_some(in_threads, (long)from);
    return NULL;
}

static void coroutine(void *from)
{
    do_some(in_coroutines, (long)from);
    invisible_step();
}

int main(void)
{
    pthread_t threads[N / EACH_DOES];
    for (long i = 0; i < N / EACH_DOES; i++) {
        pthread_create(&threads[i], NULL, thread, (void *)(i * EACH_DOES));
        csp_go(coroutine, (void *)(i * EACH_DOES));
    }
    for (int i = 0; i < N / EACH_DOES; i++)
        pthread_join(threads[i], NULL);
    invisible_wait(3 * N / EACH_DOES);
    return 0;
}
