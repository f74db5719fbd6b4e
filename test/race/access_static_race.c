// access_static_race.c - a static variable of a function is named with its function or by its own name.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include "invisible.h"

static volatile int *hidden(void)
{
    static volatile int counters[2];
    return counters;
}

static void other(void *arg)
{
    (void)arg;
    hidden()[0] = 1; // line: write
    invisible_step();
}

int main(void)
{
    csp_go(other, NULL);
    invisible_wait(1);
    hidden()[0] = 2; // line: read
    invisible_use(hidden()[0]);
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: data race (pid={{[0-9]+}})
// CHECK-NEXT: {{^}}  Write of size 4 at 0x{{[0-9a-f]+}} by main coroutine{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 main {{.*}}access_static_race.c:[[#read]]:
// CHECK: {{^}}  Previous write of size 4 at 0x{{[0-9a-f]+}} by coroutine {{[0-9]+}}{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 other {{.*}}access_static_race.c:[[#write]]:
// CHECK: {{^}}  Location is global '{{.*}}counters' of size 8 at
// CHECK: {{^}}  Coroutine {{[0-9]+}} ({{running|finished}}) created by {{main coroutine|coroutine [0-9]+}} at:
// CHECK-NEXT: {{^}}    #0 csp_go
// CHECK: SUMMARY: CspThreadSanitizer: data race {{.*}}access_static_race.c:[[#read]]:{{[0-9]+}} in main
// CHECK: CspThreadSanitizer: reported 1 warnings
