// access_heap_race.c - the report about a heap block names where it was allocated.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include "invisible.h"

#include <stdlib.h>

int *block;

static void other(void *arg)
{
    (void)arg;
    block[5] = 1; // line: write
    invisible_step();
}

int main(void)
{
    block = malloc(10 * sizeof(int)); // line: alloc
    csp_go(other, NULL);
    invisible_wait(1);
    block[5] = 2; // line: read
    invisible_use(block[6]);
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: data race (pid={{[0-9]+}})
// CHECK-NEXT: {{^}}  Write of size 4 at 0x{{[0-9a-f]+}} by main coroutine{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 main {{.*}}access_heap_race.c:[[#read]]:
// CHECK: {{^}}  Previous write of size 4 at 0x{{[0-9a-f]+}} by coroutine {{[0-9]+}}{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 other {{.*}}access_heap_race.c:[[#write]]:
// CHECK: {{^}}  Location is heap block of size 40 at 0x{{[0-9a-f]+}} allocated by main coroutine:
// CHECK-NEXT: {{^}}    #0 malloc
// CHECK-NEXT: {{^}}    #1 main {{.*}}:[[#alloc]]:
// CHECK: {{^}}  Coroutine {{[0-9]+}} ({{running|finished}}) created by {{main coroutine|coroutine [0-9]+}} at:
// CHECK-NEXT: {{^}}    #0 csp_go
// CHECK: SUMMARY: CspThreadSanitizer: data race {{.*}}access_heap_race.c:[[#read]]:{{[0-9]+}} in main
// CHECK: CspThreadSanitizer: reported 1 warnings
