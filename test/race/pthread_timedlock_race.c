// pthread_timedlock_race.c - a mutex taken by pthread_mutex_timedlock orders what was before its unlock only.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#define INVISIBLE_THREADS
#include "invisible.h"

#include <pthread.h>
#include <time.h>

int value;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void lock(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    t.tv_sec += 1000;
    if (pthread_mutex_timedlock(&mutex, &t))
        __builtin_trap();
}

static void *writer(void *arg)
{
    lock();
    pthread_mutex_unlock(&mutex);
    value = 1; // line: write
    invisible_step();
    return arg;
}

int main(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, writer, NULL);
    invisible_wait(1);
    lock();
    invisible_use(value); // line: read
    pthread_mutex_unlock(&mutex);
    pthread_join(thread, NULL);
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: data race (pid={{[0-9]+}})
// CHECK-NEXT: {{^}}  Read of size 4 at 0x{{[0-9a-f]+}} by main thread{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 main {{.*}}pthread_timedlock_race.c:[[#read]]:
// CHECK: {{^}}  Previous write of size 4 at 0x{{[0-9a-f]+}} by thread T{{[0-9]+}}:
// CHECK-NEXT: {{^}}    #0 writer {{.*}}pthread_timedlock_race.c:[[#write]]:
// CHECK: {{^}}  Location is global 'value' of size 4 at
// CHECK: SUMMARY: CspThreadSanitizer: data race {{.*}}pthread_timedlock_race.c:[[#read]]:{{[0-9]+}} in main
// CHECK: CspThreadSanitizer: reported 1 warnings
