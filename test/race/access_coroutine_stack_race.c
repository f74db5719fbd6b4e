// access_coroutine_stack_race.c - a coroutine's variable used by another one without order is a race, located on that coroutine's stack.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include "invisible.h"

static void *shared;
static csp_chan *done;

static void owner(void *arg)
{
    (void)arg;
    int local;
    invisible_put(&shared, &local);
    csp_chan *given = done;
    invisible_step();
    invisible_wait(2);
    local = 1; // line: write
    invisible_use(local);
    (void)given;
    invisible_step();
    invisible_wait(4);
}

int main(void)
{
    done = csp_chan_new(0, 1);
    csp_go(owner, NULL);
    invisible_wait(1);
    invisible_step();
    invisible_wait(3);
    invisible_use(*(int *)invisible_get(&shared)); // line: read
    invisible_step();
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: data race (pid={{[0-9]+}})
// CHECK-NEXT: {{^}}  Read of size 4 at 0x{{[0-9a-f]+}} by main coroutine{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 main {{.*}}access_coroutine_stack_race.c:[[#read]]:
// CHECK: {{^}}  Previous write of size 4 at 0x{{[0-9a-f]+}} by coroutine {{[0-9]+}}{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 owner {{.*}}access_coroutine_stack_race.c:[[#write]]:
// CHECK: {{^}}  Location is stack of coroutine {{[0-9]+}}
// CHECK: {{^}}  Coroutine {{[0-9]+}} ({{running|finished}}) created by {{main coroutine|coroutine [0-9]+}} at:
// CHECK-NEXT: {{^}}    #0 csp_go
// CHECK: SUMMARY: CspThreadSanitizer: data race {{.*}}access_coroutine_stack_race.c:[[#read]]:{{[0-9]+}} in main
// CHECK: CspThreadSanitizer: reported 1 warnings
