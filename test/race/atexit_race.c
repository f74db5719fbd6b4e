// atexit_race.c - a write after an exit handler was registered is not ordered before its run.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include "invisible.h"

#include <stdlib.h>

int value;

static void on_end(void)
{
    invisible_use(value); // line: read
}

static void registers(void *arg)
{
    (void)arg;
    atexit(on_end);
    value = 1; // line: write
    invisible_step();
}

int main(void)
{
    csp_go(registers, NULL);
    invisible_wait(1);
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: data race
// CHECK-NEXT: {{^}}  Read of size 4 at 0x{{[0-9a-f]+}} by main coroutine
// CHECK-NEXT: {{^}}    #0 on_end {{.*}}atexit_race.c:[[#read]]:
// CHECK: {{^}}  Previous write of size 4
// CHECK-NEXT: {{^}}    #0 registers {{.*}}atexit_race.c:[[#write]]:
// CHECK: {{^}}  Location is global 'value'
