// access_union_race.c - members of a union overlap: they conflict where they do.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include "invisible.h"

#include <stdint.h>

typedef union number {
    uint32_t whole;
    uint16_t halves[2];
    uint8_t bytes[4];
} number;
number shared;

static void other(void *arg)
{
    (void)arg;
    shared.halves[0] = 1; // line: write
    invisible_step();
}

int main(void)
{
    csp_go(other, NULL);
    invisible_wait(1);
    shared.bytes[1] = 1; // line: read
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: data race (pid={{[0-9]+}})
// CHECK-NEXT: {{^}}  Write of size 1 at 0x{{[0-9a-f]+}} by main coroutine{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 main {{.*}}access_union_race.c:[[#read]]:
// CHECK: {{^}}  Previous write of size {{[12]}} at 0x{{[0-9a-f]+}} by coroutine {{[0-9]+}}{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 other {{.*}}access_union_race.c:[[#write]]:
// CHECK: {{^}}  Location is global 'shared' of size 4 at
// CHECK: {{^}}  Coroutine {{[0-9]+}} ({{running|finished}}) created by {{main coroutine|coroutine [0-9]+}} at:
// CHECK-NEXT: {{^}}    #0 csp_go
// CHECK: SUMMARY: CspThreadSanitizer: data race {{.*}}access_union_race.c:[[#read]]:{{[0-9]+}} in main
// CHECK: CspThreadSanitizer: reported 1 warnings
