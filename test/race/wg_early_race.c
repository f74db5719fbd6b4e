// wg_early_race.c - a write after such an early done is not ordered.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include "invisible.h"

int value;
static csp_wg all;

static void writer(void *arg)
{
    (void)arg;
    csp_wg_done(&all);
    value = 1; // line: write
    invisible_step();
}

static void other(void *arg)
{
    (void)arg;
    csp_wg_done(&all);
}

int main(void)
{
    csp_wg_add(&all, 1);
    csp_go(writer, NULL);
    invisible_wait(1);
    csp_wg_add(&all, 1);
    csp_go(other, NULL);
    csp_wg_wait(&all);
    invisible_use(value); // line: read
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: data race (pid={{[0-9]+}})
// CHECK-NEXT: {{^}}  Read of size 4 at 0x{{[0-9a-f]+}} by main coroutine{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 main {{.*}}wg_early_race.c:[[#read]]:
// CHECK: {{^}}  Previous write of size 4 at 0x{{[0-9a-f]+}} by coroutine {{[0-9]+}}{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 writer {{.*}}wg_early_race.c:[[#write]]:
// CHECK: {{^}}  Location is global 'value' of size 4 at
// CHECK: {{^}}  Coroutine {{[0-9]+}} ({{running|finished}}) created by {{main coroutine|coroutine [0-9]+}} at:
// CHECK-NEXT: {{^}}    #0 csp_go
// CHECK: SUMMARY: CspThreadSanitizer: data race {{.*}}wg_early_race.c:[[#read]]:{{[0-9]+}} in main
// CHECK: CspThreadSanitizer: reported 1 warnings
