// chan_free_race.c - freeing a channel is a write: a use that is not ordered before it races.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include "invisible.h"

static csp_chan *values;
static csp_wg all;

static void sender(void *arg)
{
    (void)arg;
    int one = 1;
    csp_send(values, &one); // line: send
    invisible_step();
    csp_wg_done(&all);
}

int main(void)
{
    values = csp_chan_new(sizeof(int), 1);
    csp_wg_add(&all, 1);
    csp_go(sender, NULL);
    invisible_wait(1);
    csp_chan_free(values); // line: free
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: data race (pid={{[0-9]+}})
// CHECK-NEXT: {{^}}  Write of size {{[0-9]+}} at 0x{{[0-9a-f]+}} by main coroutine{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 csp_chan_free
// CHECK-NEXT: {{^}}    #1 main {{.*}}chan_free_race.c:[[#free]]:
// CHECK: {{^}}  Previous read of size {{[0-9]+}} at 0x{{[0-9a-f]+}} by coroutine {{[0-9]+}}{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 csp_send
// CHECK-NEXT: {{^}}    #1 sender {{.*}}chan_free_race.c:[[#send]]:
// CHECK: {{^}}  Coroutine {{[0-9]+}} ({{running|finished}}) created by {{main coroutine|coroutine [0-9]+}} at:
// CHECK-NEXT: {{^}}    #0 csp_go
// CHECK: SUMMARY: CspThreadSanitizer: data race {{.*}}chan_free_race.c:[[#free]]:{{[0-9]+}} in main
// CHECK: CspThreadSanitizer: reported 1 warnings
