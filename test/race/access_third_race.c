// access_third_race.c - a reader is not forgotten because another one came after it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include "invisible.h"

int value;
static csp_chan *done;

static void first_reader(void *arg)
{
    (void)arg;
    invisible_use(value); // line: write
    invisible_step();
}

static void second_reader(void *arg)
{
    (void)arg;
    invisible_wait(1);
    invisible_use(value);
    csp_send(done, NULL);
    invisible_step();
}

int main(void)
{
    done = csp_chan_new(0, 2);
    csp_go(first_reader, NULL);
    csp_go(second_reader, NULL);
    invisible_wait(2);
    csp_recv(done, NULL);
    value = 1; // line: read
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: data race (pid={{[0-9]+}})
// CHECK-NEXT: {{^}}  Write of size 4 at 0x{{[0-9a-f]+}} by main coroutine{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 main {{.*}}access_third_race.c:[[#read]]:
// CHECK: {{^}}  Previous read of size 4 at 0x{{[0-9a-f]+}} by coroutine {{[0-9]+}}{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 first_reader {{.*}}access_third_race.c:[[#write]]:
// CHECK: {{^}}  Location is global 'value' of size 4 at
// CHECK: {{^}}  Coroutine {{[0-9]+}} ({{running|finished}}) created by {{main coroutine|coroutine [0-9]+}} at:
// CHECK-NEXT: {{^}}    #0 csp_go
// CHECK: SUMMARY: CspThreadSanitizer: data race {{.*}}access_third_race.c:[[#read]]:{{[0-9]+}} in main
// CHECK: CspThreadSanitizer: reported 1 warnings
