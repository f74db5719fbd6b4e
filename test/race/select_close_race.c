// select_close_race.c - a write after the close is not ordered before the select that saw it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include "invisible.h"

int value;
static csp_chan *done, *never;

static void writer(void *arg)
{
    (void)arg;
    invisible_settle();
    csp_close(done);
    value = 1; // line: write
    invisible_step();
}

int main(void)
{
    done = csp_chan_new(0, 0);
    never = csp_chan_new(0, 0);
    csp_go(writer, NULL);
    bool ok = true;
    CSP_SELECT(csp_case_recv(never, NULL, NULL), csp_case_recv(done, NULL, &ok));
    invisible_wait(1);
    invisible_use(value); // line: read
    return ok;
}

// CHECK: WARNING: CspThreadSanitizer: data race (pid={{[0-9]+}})
// CHECK-NEXT: {{^}}  Read of size 4 at 0x{{[0-9a-f]+}} by main coroutine{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 main {{.*}}select_close_race.c:[[#read]]:
// CHECK: {{^}}  Previous write of size 4 at 0x{{[0-9a-f]+}} by coroutine {{[0-9]+}}{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 writer {{.*}}select_close_race.c:[[#write]]:
// CHECK: {{^}}  Location is global 'value' of size 4 at
// CHECK: {{^}}  Coroutine {{[0-9]+}} ({{running|finished}}) created by {{main coroutine|coroutine [0-9]+}} at:
// CHECK-NEXT: {{^}}    #0 csp_go
// CHECK: SUMMARY: CspThreadSanitizer: data race {{.*}}select_close_race.c:[[#read]]:{{[0-9]+}} in main
// CHECK: CspThreadSanitizer: reported 1 warnings
