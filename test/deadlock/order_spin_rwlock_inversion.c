// order_spin_rwlock_inversion.c - a spin lock and a rwlock of threads.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include <pthread.h>

static pthread_spinlock_t a;
static pthread_rwlock_t b = PTHREAD_RWLOCK_INITIALIZER;
static int go;

static void *forth(void *arg)
{
    pthread_spin_lock(&a);
    pthread_rwlock_rdlock(&b);
    pthread_rwlock_unlock(&b);
    pthread_spin_unlock(&a);
    return arg;
}

static void *back(void *arg)
{
    while (!__atomic_load_n(&go, __ATOMIC_RELAXED))
        ;
    pthread_rwlock_wrlock(&b);
    pthread_spin_lock(&a);
    pthread_spin_unlock(&a);
    pthread_rwlock_unlock(&b);
    return arg;
}

int main(void)
{
    pthread_t t[2];
    pthread_spin_init(&a, PTHREAD_PROCESS_PRIVATE);
    pthread_create(&t[0], NULL, forth, NULL);
    pthread_create(&t[1], NULL, back, NULL);
    pthread_join(t[0], NULL);
    __atomic_store_n(&go, 1, __ATOMIC_RELAXED); // orders nothing
    pthread_join(t[1], NULL);
    return 0;
}

// CHECK: {{^}}WARNING: CspThreadSanitizer: lock-order-inversion (potential deadlock)
// CHECK: CspThreadSanitizer: reported 1 warnings
