// c11_thread_race.c - C11 threads: an unlocked mutex orders what was before, not what comes after.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#define INVISIBLE_THREADS
#include "invisible.h"

#include <threads.h>

int value;
static mtx_t mutex;

static int writer(void *arg)
{
    (void)arg;
    mtx_lock(&mutex);
    mtx_unlock(&mutex);
    value = 1; // line: write
    invisible_step();
    return 0;
}

int main(void)
{
    thrd_t thread;
    mtx_init(&mutex, mtx_plain);
    thrd_create(&thread, writer, NULL);
    invisible_wait(1);
    mtx_lock(&mutex);
    invisible_use(value); // line: read
    mtx_unlock(&mutex);
    return thrd_join(thread, NULL) == thrd_success ? 0 : 1;
}

// CHECK: WARNING: CspThreadSanitizer: data race (pid={{[0-9]+}})
// CHECK-NEXT: {{^}}  Read of size 4 at 0x{{[0-9a-f]+}} by main thread{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 main {{.*}}c11_thread_race.c:[[#read]]:
// CHECK: {{^}}  Previous write of size 4 at 0x{{[0-9a-f]+}} by thread T{{[0-9]+}}:
// CHECK-NEXT: {{^}}    #0 writer {{.*}}c11_thread_race.c:[[#write]]:
// CHECK: {{^}}  Location is global 'value' of size 4 at
// CHECK: SUMMARY: CspThreadSanitizer: data race {{.*}}c11_thread_race.c:[[#read]]:{{[0-9]+}} in main
// CHECK: CspThreadSanitizer: reported 1 warnings
