// chan_handoff_slot_race.c - the send after a hand-off of a channel of capacity 2 is not ordered after that receive.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include "invisible.h"

int value;
static csp_chan *slots;

static void writer(void *arg)
{
    (void)arg;
    value = 1; // line: write
    invisible_step();
    csp_recv(slots, NULL);
    invisible_step();
}

int main(void)
{
    slots = csp_chan_new(0, 2);
    csp_go(writer, NULL);
    invisible_wait(1);
    invisible_settle();
    csp_send(slots, NULL);
    invisible_wait(2);
    csp_send(slots, NULL);
    invisible_use(value); // line: read
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: data race (pid={{[0-9]+}})
// CHECK-NEXT: {{^}}  Read of size 4 at 0x{{[0-9a-f]+}} by main coroutine{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 main {{.*}}chan_handoff_slot_race.c:[[#read]]:
// CHECK: {{^}}  Previous write of size 4 at 0x{{[0-9a-f]+}} by coroutine {{[0-9]+}}{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 writer {{.*}}chan_handoff_slot_race.c:[[#write]]:
// CHECK: {{^}}  Location is global 'value' of size 4 at
// CHECK: {{^}}  Coroutine {{[0-9]+}} ({{running|finished}}) created by {{main coroutine|coroutine [0-9]+}} at:
// CHECK-NEXT: {{^}}    #0 csp_go
// CHECK: SUMMARY: CspThreadSanitizer: data race {{.*}}chan_handoff_slot_race.c:[[#read]]:{{[0-9]+}} in main
// CHECK: CspThreadSanitizer: reported 1 warnings
