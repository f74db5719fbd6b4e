// chan_element_send_race.c - a send reads the variable it names: changing it meanwhile is a race, reported at the send.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include "invisible.h"

int value;
static csp_chan *values;

static void sender(void *arg)
{
    (void)arg;
    invisible_wait(1);
    csp_send(values, &value); // line: send
}

int main(void)
{
    values = csp_chan_new(sizeof(int), 0);
    csp_go(sender, NULL);
    value = 1; // line: write
    invisible_step();
    int received;
    csp_recv(values, &received);
    return received != 1;
}

// CHECK: WARNING: CspThreadSanitizer: data race (pid={{[0-9]+}})
// CHECK-NEXT: {{^}}  Read of size 4 at 0x{{[0-9a-f]+}} by coroutine {{[0-9]+}}{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 csp_send
// CHECK-NEXT: {{^}}    #1 sender {{.*}}chan_element_send_race.c:[[#send]]:
// CHECK: {{^}}  Previous write of size 4 at 0x{{[0-9a-f]+}} by main coroutine{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 main {{.*}}chan_element_send_race.c:[[#write]]:
// CHECK: {{^}}  Location is global 'value' of size 4 at
// CHECK: {{^}}  Coroutine {{[0-9]+}} ({{running|finished}}) created by {{main coroutine|coroutine [0-9]+}} at:
// CHECK-NEXT: {{^}}    #0 csp_go
// CHECK: SUMMARY: CspThreadSanitizer: data race {{.*}}chan_element_send_race.c:[[#send]]:{{[0-9]+}} in sender
// CHECK: CspThreadSanitizer: reported 1 warnings
