// chan_element_recv_race.c - a receive writes the variable it names: reading it meanwhile is a race, reported at the receive.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include "invisible.h"

int value;
static csp_chan *values;
static csp_chan *filled;

static void receiver(void *arg)
{
    (void)arg;
    csp_recv(values, &value); // line: recv
    csp_send(filled, NULL);
}

int main(void)
{
    values = csp_chan_new(sizeof(int), 0);
    filled = csp_chan_new(0, 1);
    csp_go(receiver, NULL);
    int one = 1;
    csp_send(values, &one);
    while (csp_len(filled) == 0)
        invisible_pause();
    invisible_use(value); // line: read
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: data race (pid={{[0-9]+}})
// CHECK-NEXT: {{^}}  Read of size 4 at 0x{{[0-9a-f]+}} by main coroutine{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 main {{.*}}chan_element_recv_race.c:[[#read]]:
// CHECK: {{^}}  Previous write of size 4 at 0x{{[0-9a-f]+}} by coroutine {{[0-9]+}}{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 csp_recv
// CHECK-NEXT: {{^}}    #1 receiver {{.*}}chan_element_recv_race.c:[[#recv]]:
// CHECK: {{^}}  Location is global 'value' of size 4 at
// CHECK: {{^}}  Coroutine {{[0-9]+}} ({{running|finished}}) created by {{main coroutine|coroutine [0-9]+}} at:
// CHECK-NEXT: {{^}}    #0 csp_go
// CHECK: SUMMARY: CspThreadSanitizer: data race {{.*}}chan_element_recv_race.c:[[#read]]:{{[0-9]+}} in main
// CHECK: CspThreadSanitizer: reported 1 warnings
