// atomic_release_sequence_race.c - a store of another coroutine ends the release sequence: reading it orders nothing.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include "invisible.h"

#include <stdatomic.h>

int value;
atomic_int flag;

static void writer(void *arg)
{
    (void)arg;
    value = 1; // line: write
    atomic_store_explicit(&flag, 1, memory_order_release);
    invisible_step();
}

static void bump(void *arg)
{
    (void)arg;
    invisible_wait(1);
    atomic_store_explicit(&flag, 2, memory_order_relaxed);
    invisible_step();
}

int main(void)
{
    csp_go(writer, NULL);
    csp_go(bump, NULL);
    invisible_wait(2);
    while (atomic_load_explicit(&flag, memory_order_acquire) != 2)
        invisible_pause();
    invisible_use(value); // line: read
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: data race (pid={{[0-9]+}})
// CHECK-NEXT: {{^}}  Read of size 4 at 0x{{[0-9a-f]+}} by main coroutine{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 main {{.*}}atomic_release_sequence_race.c:[[#read]]:
// CHECK: {{^}}  Previous write of size 4 at 0x{{[0-9a-f]+}} by coroutine {{[0-9]+}}{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 writer {{.*}}atomic_release_sequence_race.c:[[#write]]:
// CHECK: {{^}}  Location is global 'value' of size 4 at
// CHECK: {{^}}  Coroutine {{[0-9]+}} ({{running|finished}}) created by {{main coroutine|coroutine [0-9]+}} at:
// CHECK-NEXT: {{^}}    #0 csp_go
// CHECK: SUMMARY: CspThreadSanitizer: data race {{.*}}atomic_release_sequence_race.c:[[#read]]:{{[0-9]+}} in main
// CHECK: CspThreadSanitizer: reported 1 warnings
