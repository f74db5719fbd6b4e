// sem_unit_race.c - units are taken in the order of their release: taking the first orders nothing after the second.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include "invisible.h"

int value;
static csp_sem units;

static void first(void *arg)
{
    (void)arg;
    csp_sem_release(&units, 1);
    invisible_step();
}

static void writer(void *arg)
{
    (void)arg;
    invisible_wait(1);
    value = 1; // line: write
    csp_sem_release(&units, 1);
    invisible_step();
}

int main(void)
{
    csp_go(first, NULL);
    csp_go(writer, NULL);
    invisible_wait(2);
    csp_sem_acquire(&units, 1);
    invisible_use(value); // line: read
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: data race (pid={{[0-9]+}})
// CHECK-NEXT: {{^}}  Read of size 4 at 0x{{[0-9a-f]+}} by main coroutine{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 main {{.*}}sem_unit_race.c:[[#read]]:
// CHECK: {{^}}  Previous write of size 4 at 0x{{[0-9a-f]+}} by coroutine {{[0-9]+}}{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 writer {{.*}}sem_unit_race.c:[[#write]]:
// CHECK: {{^}}  Location is global 'value' of size 4 at
// CHECK: {{^}}  Coroutine {{[0-9]+}} ({{running|finished}}) created by {{main coroutine|coroutine [0-9]+}} at:
// CHECK-NEXT: {{^}}    #0 csp_go
// CHECK: SUMMARY: CspThreadSanitizer: data race {{.*}}sem_unit_race.c:[[#read]]:{{[0-9]+}} in main
// CHECK: CspThreadSanitizer: reported 1 warnings
