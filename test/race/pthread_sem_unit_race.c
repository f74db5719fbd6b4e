// pthread_sem_unit_race.c - units are taken in the order of their posts: taking the first orders nothing after the second.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#define INVISIBLE_THREADS
#include "invisible.h"

#include <pthread.h>
#include <semaphore.h>

int value;
static sem_t units;

static void *first(void *arg)
{
    sem_post(&units);
    invisible_step();
    return arg;
}

static void *writer(void *arg)
{
    invisible_wait(1);
    value = 1; // line: write
    sem_post(&units);
    invisible_step();
    return arg;
}

int main(void)
{
    sem_init(&units, 0, 0);
    pthread_t a, b;
    pthread_create(&a, NULL, first, NULL);
    pthread_create(&b, NULL, writer, NULL);
    invisible_wait(2);
    sem_wait(&units);
    if (0)
        sem_wait(&units);
    invisible_use(value); // line: read
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: data race (pid={{[0-9]+}})
// CHECK-NEXT: {{^}}  Read of size 4 at 0x{{[0-9a-f]+}} by main thread{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 main {{.*}}pthread_sem_unit_race.c:[[#read]]:
// CHECK: {{^}}  Previous write of size 4 at 0x{{[0-9a-f]+}} by thread T{{[0-9]+}}{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 writer {{.*}}pthread_sem_unit_race.c:[[#write]]:
// CHECK: {{^}}  Location is global 'value' of size 4 at
// CHECK: {{^}}  Thread T{{[0-9]+}} (tid={{[0-9]+}}, {{running|finished}}) created by main {{thread|coroutine}} at:
// CHECK-NEXT: {{^}}    #0 pthread_create
// CHECK: SUMMARY: CspThreadSanitizer: data race {{.*}}pthread_sem_unit_race.c:[[#read]]:{{[0-9]+}} in main
// CHECK: CspThreadSanitizer: reported 1 warnings
