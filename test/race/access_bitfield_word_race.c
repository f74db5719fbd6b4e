// access_bitfield_word_race.c - two bit fields in one byte are one object for the memory model.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include "invisible.h"

typedef struct flags {
    unsigned char left : 4, right : 4;
} flags;
flags shared;

static void other(void *arg)
{
    (void)arg;
    shared.left = 1; // line: write
    invisible_step();
}

int main(void)
{
    csp_go(other, NULL);
    invisible_wait(1);
    shared.right = 1; // line: read
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: data race (pid={{[0-9]+}})
// CHECK-NEXT: {{^}}  {{Read|Write}} of size 1 at 0x{{[0-9a-f]+}} by main coroutine{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 main {{.*}}access_bitfield_word_race.c:[[#read]]:
// CHECK: {{^}}  Previous write of size 1 at 0x{{[0-9a-f]+}} by coroutine {{[0-9]+}}{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 other {{.*}}access_bitfield_word_race.c:[[#write]]:
// CHECK: {{^}}  Location is global 'shared' of size 1 at
// CHECK: {{^}}  Coroutine {{[0-9]+}} ({{running|finished}}) created by {{main coroutine|coroutine [0-9]+}} at:
// CHECK-NEXT: {{^}}    #0 csp_go
// CHECK: SUMMARY: CspThreadSanitizer: data race {{.*}}access_bitfield_word_race.c:[[#read]]:{{[0-9]+}} in main
// CHECK: CspThreadSanitizer: reported 1 warnings
