// blocking_race.c - csp_blocking makes no order: what the call does after the send is not ordered before the receive.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include "invisible.h"

int value;
static csp_chan *done;

static void store(void *arg)
{
    (void)arg;
    value = 1; // line: write
}

static void caller(void *arg)
{
    csp_send(done, NULL);
    csp_blocking(store, arg); // line: call
    invisible_step();
}

int main(void)
{
    done = csp_chan_new(0, 1);
    csp_go(caller, NULL);
    csp_recv(done, NULL);
    invisible_wait(1);
    invisible_use(value); // line: read
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: data race (pid={{[0-9]+}})
// CHECK-NEXT: {{^}}  Read of size 4 at 0x{{[0-9a-f]+}} by main coroutine:
// CHECK-NEXT: {{^}}    #0 main {{.*}}blocking_race.c:[[#read]]:
// CHECK: {{^}}  Previous write of size 4 at 0x{{[0-9a-f]+}} by coroutine {{[0-9]+}}:
// CHECK-NEXT: {{^}}    #0 store {{.*}}blocking_race.c:[[#write]]:
// CHECK-NEXT: {{^}}    #1 cspi_blocking_run
// CHECK-NEXT: {{^}}    #2 caller {{.*}}blocking_race.c:[[#call]]:
// CHECK: SUMMARY: CspThreadSanitizer: data race {{.*}}blocking_race.c:[[#read]]:{{[0-9]+}} in main
// CHECK: CspThreadSanitizer: reported 1 warnings
