// pthread_create_race.c - what is done after pthread_create is not ordered before the thread.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#define INVISIBLE_THREADS
#include "invisible.h"

#include <pthread.h>

int value;
static void *reader(void *arg)
{
    invisible_wait(1);
    invisible_use(value); // line: read
    return arg;
}

int main(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, reader, NULL);
    value = 1; // line: write
    invisible_step();
    pthread_join(thread, NULL);
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: data race (pid={{[0-9]+}})
// CHECK-NEXT: {{^}}  Read of size 4 at 0x{{[0-9a-f]+}} by thread T{{[0-9]+}}{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 reader {{.*}}pthread_create_race.c:[[#read]]:
// CHECK: {{^}}  Previous write of size 4 at 0x{{[0-9a-f]+}} by main thread{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 main {{.*}}pthread_create_race.c:[[#write]]:
// CHECK: {{^}}  Location is global 'value' of size 4 at
// CHECK: {{^}}  Thread T{{[0-9]+}} (tid={{[0-9]+}}, {{running|finished}}) created by main {{thread|coroutine}} at:
// CHECK-NEXT: {{^}}    #0 pthread_create
// CHECK: SUMMARY: CspThreadSanitizer: data race {{.*}}pthread_create_race.c:[[#read]]:{{[0-9]+}} in reader
// CHECK: CspThreadSanitizer: reported 1 warnings
