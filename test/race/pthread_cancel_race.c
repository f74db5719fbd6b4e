// pthread_cancel_race.c - pthread_cancel orders nothing that the thread does before the one who cancelled it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#define INVISIBLE_THREADS
#include "invisible.h"

#include <pthread.h>
#include <unistd.h>

int value;

static void clean_up(void *arg)
{
    (void)arg;
    value = 1; // line: write
    invisible_step();
}

static void *waits_for_ever(void *arg)
{
    pthread_cleanup_push(clean_up, NULL);
    for (;;)
        pause();
    pthread_cleanup_pop(0);
    return arg;
}

int main(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, waits_for_ever, NULL);
    pthread_cancel(thread);
    invisible_wait(1);
    invisible_use(value); // line: read
    pthread_join(thread, NULL);
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: data race (pid={{[0-9]+}})
// CHECK-NEXT: {{^}}  Read of size 4 at 0x{{[0-9a-f]+}} by main thread:
// CHECK-NEXT: {{^}}    #0 main {{.*}}pthread_cancel_race.c:[[#read]]:
// CHECK: {{^}}  Previous write of size 4 at 0x{{[0-9a-f]+}} by thread T{{[0-9]+}}:
// CHECK-NEXT: {{^}}    #0 clean_up {{.*}}pthread_cancel_race.c:[[#write]]:
// CHECK: {{^}}  Location is global 'value' of size 4 at
// CHECK: SUMMARY: CspThreadSanitizer: data race {{.*}}pthread_cancel_race.c:[[#read]]:{{[0-9]+}} in main
// CHECK: CspThreadSanitizer: reported 1 warnings
