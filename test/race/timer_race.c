// timer_race.c - a write after csp_timer_new is not ordered before the function.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include "invisible.h"

int value;
static void expired(void *arg)
{
    (void)arg;
    invisible_wait(1);
    invisible_use(value); // line: read
    invisible_step();
}

int main(void)
{
    csp_timer *t = csp_timer_new(CSP_MS, expired, NULL);
    value = 1; // line: write
    invisible_step();
    invisible_wait(2);
    csp_timer_free(t);
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: data race (pid={{[0-9]+}})
// CHECK-NEXT: {{^}}  Read of size 4 at 0x{{[0-9a-f]+}} by coroutine {{[0-9]+}}{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 expired {{.*}}timer_race.c:[[#read]]:
// CHECK: {{^}}  Previous write of size 4 at 0x{{[0-9a-f]+}} by main coroutine{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 main {{.*}}timer_race.c:[[#write]]:
// CHECK: {{^}}  Location is global 'value' of size 4 at
// CHECK: {{^}}  Coroutine {{[0-9]+}} ({{running|finished}}) created by {{main coroutine|coroutine [0-9]+}} at:
// CHECK-NEXT: {{^}}    #0 csp_timer_new
// CHECK: SUMMARY: CspThreadSanitizer: data race {{.*}}timer_race.c:[[#read]]:{{[0-9]+}} in expired
// CHECK: CspThreadSanitizer: reported 1 warnings
