// order_pthread_inversion.c - two threads, in two orders, one after the other by chance.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
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

static int go;

static void *wait_and_go_back(void *arg)
{
    while (!__atomic_load_n(&go, __ATOMIC_RELAXED))
        ;
    return back(arg);
}

int main(void)
{
    pthread_t t[2];
    pthread_create(&t[0], NULL, forth, NULL);
    pthread_create(&t[1], NULL, wait_and_go_back, NULL);
    pthread_join(t[0], NULL);
    __atomic_store_n(&go, 1, __ATOMIC_RELAXED); // orders nothing
    pthread_join(t[1], NULL);
    return 0;
}

// CHECK: {{^}}WARNING: CspThreadSanitizer: lock-order-inversion (potential deadlock) (pid={{[0-9]+}}){{$}}
// CHECK-NEXT: {{^}}  Cycle in lock order graph: M[[#X:]] ({{0x[0-9a-f]+}}) => M[[#Y:]] ({{0x[0-9a-f]+}}) => M[[X2:[0-9]+]]{{$}}
// CHECK-DAG: {{^}}  Mutex M{{[0-9]+}} acquired here while holding mutex M{{[0-9]+}} in thread {{T?[0-9]+}}:{{$}}
// CHECK-DAG: {{^}}    #1 forth {{.*}}order_pthread_inversion.c:[[#b1]]:
// CHECK-DAG: {{^}}  Mutex M{{[0-9]+}} previously acquired by the same thread here:{{$}}
// CHECK-DAG: {{^}}    #1 forth {{.*}}order_pthread_inversion.c:[[#a1]]:
// CHECK-DAG: {{^}}    #1 back {{.*}}order_pthread_inversion.c:[[#a2]]:
// CHECK-DAG: {{^}}    #1 back {{.*}}order_pthread_inversion.c:[[#b2]]:
// CHECK: {{^}}  Thread {{.*}} created by main thread at:{{$}}
// CHECK: SUMMARY: CspThreadSanitizer: lock-order-inversion (potential deadlock) {{.*}}order_pthread_inversion.c:{{[0-9]+}}:{{[0-9]+}} in {{forth|back}}{{$}}
// CHECK: CspThreadSanitizer: reported 1 warnings
