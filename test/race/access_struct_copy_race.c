// access_struct_copy_race.c - assigning a struct writes all of it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include "invisible.h"

typedef struct big {
    long fields[40];
} big;
big shared, spare, source;

static void other(void *arg)
{
    (void)arg;
    shared = source; // line: write
    invisible_step();
}

int main(void)
{
    csp_go(other, NULL);
    invisible_wait(1);
    invisible_use(shared.fields[39]); // line: read
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: data race (pid={{[0-9]+}})
// CHECK-NEXT: {{^}}  Read of size 8 at 0x{{[0-9a-f]+}} by main coroutine{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 main {{.*}}access_struct_copy_race.c:[[#read]]:
// CHECK: {{^}}  Previous write of size {{[0-9]+}} at 0x{{[0-9a-f]+}} by coroutine {{[0-9]+}}{{( \(mutexes: .*\))?}}:
// CHECK: {{^}}    #{{[01]}} other {{.*}}access_struct_copy_race.c:[[#write]]:
// CHECK: {{^}}  Location is global 'shared' of size 320 at
// CHECK: {{^}}  Coroutine {{[0-9]+}} ({{running|finished}}) created by {{main coroutine|coroutine [0-9]+}} at:
// CHECK-NEXT: {{^}}    #0 csp_go
// CHECK: SUMMARY: CspThreadSanitizer: data race {{.*}}access_struct_copy_race.c:[[#read]]:{{[0-9]+}} in main
// CHECK: CspThreadSanitizer: reported 1 warnings
