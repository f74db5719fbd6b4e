// sem_initial_race.c - initial units carry no order: who takes only those is not ordered after a release.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include "invisible.h"

int value;
static csp_sem units;

static void writer(void *arg)
{
    (void)arg;
    value = 1; // line: write
    csp_sem_release(&units, 1);
    invisible_step();
}

int main(void)
{
    csp_sem_init(&units, 2);
    csp_go(writer, NULL);
    invisible_wait(1);
    csp_sem_acquire(&units, 2);
    invisible_use(value); // line: read
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: data race (pid={{[0-9]+}})
// CHECK-NEXT: {{^}}  Read of size 4 at 0x{{[0-9a-f]+}} by main coroutine{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 main {{.*}}sem_initial_race.c:[[#read]]:
// CHECK: {{^}}  Previous write of size 4 at 0x{{[0-9a-f]+}} by coroutine {{[0-9]+}}{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 writer {{.*}}sem_initial_race.c:[[#write]]:
// CHECK: {{^}}  Location is global 'value' of size 4 at
// CHECK: {{^}}  Coroutine {{[0-9]+}} ({{running|finished}}) created by {{main coroutine|coroutine [0-9]+}} at:
// CHECK-NEXT: {{^}}    #0 csp_go
// CHECK: SUMMARY: CspThreadSanitizer: data race {{.*}}sem_initial_race.c:[[#read]]:{{[0-9]+}} in main
// CHECK: CspThreadSanitizer: reported 1 warnings
