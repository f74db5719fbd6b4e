// order_pthread_noinversion.c - the same, but the second thread starts when the first has been joined.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include <pthread.h>

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;

static void *forth(void *arg)
{
    pthread_mutex_lock(&a); // line: a1
    pthread_mutex_lock(&b); // line: b1
    pthread_mutex_unlock(&b);
    pthread_mutex_unlock(&a);
    return arg;
}

static void *back(void *arg)
{
    pthread_mutex_lock(&b); // line: b2
    pthread_mutex_lock(&a); // line: a2
    pthread_mutex_unlock(&a);
    pthread_mutex_unlock(&b);
    return arg;
}

int main(void)
{
    pthread_t t;
    pthread_create(&t, NULL, forth, NULL);
    pthread_join(t, NULL);
    pthread_create(&t, NULL, back, NULL);
    pthread_join(t, NULL);
    return 0;
}
