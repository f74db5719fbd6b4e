// tls_race.c - a thread-local that another thread reaches through a pointer is memory like any other.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#define INVISIBLE_THREADS
#include "invisible.h"

#include <pthread.h>
#include <stddef.h>

static __thread int counter;
static int *volatile shared;
static pthread_barrier_t barrier;

static void *owner(void *arg)
{
    shared = &counter;
    pthread_barrier_wait(&barrier);
    counter = 1; // line: owner
    invisible_step();
    invisible_wait(2);
    return arg;
}

int main(void)
{
    pthread_t thread;
    pthread_barrier_init(&barrier, NULL, 2);
    pthread_create(&thread, NULL, owner, NULL);
    pthread_barrier_wait(&barrier);
    invisible_wait(1);
    *shared = 2; // line: stranger
    invisible_step();
    pthread_join(thread, NULL);
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: data race
// CHECK: Write of size 4 at {{.*}} by main thread
// CHECK-NEXT: #0 main {{.*}}tls_race.c:31:
// CHECK: Previous write of size 4 at {{.*}} by thread T1
// CHECK-NEXT: #0 owner {{.*}}tls_race.c:18:
// CHECK: Location is TLS of thread T1.
// CHECK-NEXT: It is thread-local 'counter'
