// order_new_lock_noinversion.c - other locks at the same addresses: freed and allocated, destroyed and initialised.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include <csp/csp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

typedef struct locks {
    csp_mutex a, b;
    pthread_mutex_t p, q;
} locks;

static locks *l;
static pthread_mutex_t p, q;

static void forth(void *arg)
{
    csp_mutex_lock(&l->a);
    csp_mutex_lock(&l->b);
    csp_mutex_unlock(&l->b);
    csp_mutex_unlock(&l->a);
    pthread_mutex_lock(&p);
    pthread_mutex_lock(&q);
    pthread_mutex_unlock(&q);
    pthread_mutex_unlock(&p);
    __atomic_store_n((int *)arg, 1, __ATOMIC_RELAXED); // orders nothing
}

static void back(void *arg)
{
    csp_mutex_lock(&l->b);
    csp_mutex_lock(&l->a);
    csp_mutex_unlock(&l->a);
    csp_mutex_unlock(&l->b);
    pthread_mutex_lock(&q);
    pthread_mutex_lock(&p);
    pthread_mutex_unlock(&p);
    pthread_mutex_unlock(&q);
    __atomic_store_n((int *)arg, 1, __ATOMIC_RELAXED);
}

static void run(void (*fn)(void *))
{
    int done = 0;
    pthread_mutex_init(&p, NULL);
    pthread_mutex_init(&q, NULL);
    csp_go(fn, &done);
    while (!__atomic_load_n(&done, __ATOMIC_RELAXED))
        csp_yield();
    csp_mutex_lock(&l->a); // who frees comes after who used it, by the locks themselves
    csp_mutex_unlock(&l->a);
    csp_mutex_lock(&l->b);
    csp_mutex_unlock(&l->b);
    pthread_mutex_destroy(&p);
    pthread_mutex_destroy(&q);
}

int main(void)
{
    locks *old;
    old = l = calloc(1, sizeof *l);
    run(forth);
    free(l);
    l = calloc(1, sizeof *l);
    if (l != old)
        return 0; // not the place that is tried here
    run(back);
    free(l);
    return 0;
}
