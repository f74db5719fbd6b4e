// pthread_mutex_trylock_race.c - a try-lock that fails orders nothing.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#define INVISIBLE_THREADS
#include "invisible.h"

#include <pthread.h>

int value;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *writer(void *arg)
{
    pthread_mutex_lock(&lock);
    value = 1; // line: write
    pthread_mutex_unlock(&lock);
    pthread_mutex_lock(&lock);
    invisible_step();
    invisible_wait(2);
    pthread_mutex_unlock(&lock);
    return arg;
}

int main(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, writer, NULL);
    invisible_wait(1);
    int failed = pthread_mutex_trylock(&lock);
    invisible_use(value); // line: read
    if (!failed)
        pthread_mutex_unlock(&lock);
    invisible_step();
    pthread_join(thread, NULL);
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: data race (pid={{[0-9]+}})
// CHECK-NEXT: {{^}}  Read of size 4 at 0x{{[0-9a-f]+}} by main thread{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 main {{.*}}pthread_mutex_trylock_race.c:[[#read]]:
// CHECK: {{^}}  Previous write of size 4 at 0x{{[0-9a-f]+}} by thread T{{[0-9]+}}{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 writer {{.*}}pthread_mutex_trylock_race.c:[[#write]]:
// CHECK: {{^}}  Location is global 'value' of size 4 at
// CHECK: {{^}}  Thread T{{[0-9]+}} (tid={{[0-9]+}}, {{running|finished}}) created by main {{thread|coroutine}} at:
// CHECK-NEXT: {{^}}    #0 pthread_create
// CHECK: SUMMARY: CspThreadSanitizer: data race {{.*}}pthread_mutex_trylock_race.c:[[#read]]:{{[0-9]+}} in main
// CHECK: CspThreadSanitizer: reported 1 warnings
