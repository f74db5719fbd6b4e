// access_unaligned_race.c - an access that straddles two words conflicts in the second one too.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include "invisible.h"

#include <stdint.h>

typedef struct __attribute__((packed)) packet {
    char head[5];
    uint64_t body; // bytes 5 to 12
    char tail[3];
} packet;
_Alignas(16) packet shared;

static void other(void *arg)
{
    (void)arg;
    shared.body = 1; // line: write
    invisible_step();
}

int main(void)
{
    csp_go(other, NULL);
    invisible_wait(1);
    ((volatile char *)&shared)[12] = 1; // line: read
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: data race (pid={{[0-9]+}})
// CHECK-NEXT: {{^}}  Write of size 1 at 0x{{[0-9a-f]+}} by main coroutine{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 main {{.*}}access_unaligned_race.c:[[#read]]:
// CHECK: {{^}}  Previous write of size {{[0-9]+}} at 0x{{[0-9a-f]+}} by coroutine {{[0-9]+}}{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 other {{.*}}access_unaligned_race.c:[[#write]]:
// CHECK: {{^}}  Location is global 'shared' of size 16 at
// CHECK: {{^}}  Coroutine {{[0-9]+}} ({{running|finished}}) created by {{main coroutine|coroutine [0-9]+}} at:
// CHECK-NEXT: {{^}}    #0 csp_go
// CHECK: SUMMARY: CspThreadSanitizer: data race {{.*}}access_unaligned_race.c:[[#read]]:{{[0-9]+}} in main
// CHECK: CspThreadSanitizer: reported 1 warnings
