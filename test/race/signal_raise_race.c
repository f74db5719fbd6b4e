// signal_raise_race.c - a raised signal orders nothing.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include "invisible.h"

#include <signal.h>

int value;
static csp_chan *signals, *written;

static void raiser(void *arg)
{
    (void)arg;
    value = 1; // line: write
    csp_send(written, NULL);
    raise(SIGUSR1);
}

int main(void)
{
    signals = csp_chan_new(sizeof(int), 1);
    written = csp_chan_new(0, 1);
    csp_signal_notify(signals, SIGUSR1);
    csp_go(raiser, NULL);
    csp_recv(signals, NULL);
    invisible_use(value); // line: read
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: data race (pid={{[0-9]+}})
// CHECK-NEXT: {{^}}  Read of size 4 at 0x{{[0-9a-f]+}} by main coroutine{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 main {{.*}}signal_raise_race.c:[[#read]]:
// CHECK: {{^}}  Previous write of size 4 at 0x{{[0-9a-f]+}} by coroutine {{[0-9]+}}{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 raiser {{.*}}signal_raise_race.c:[[#write]]:
// CHECK: {{^}}  Location is global 'value' of size 4 at
// CHECK: {{^}}  Coroutine {{[0-9]+}} ({{running|finished}}) created by {{main coroutine|coroutine [0-9]+}} at:
// CHECK-NEXT: {{^}}    #0 csp_go
// CHECK: SUMMARY: CspThreadSanitizer: data race {{.*}}signal_raise_race.c:[[#read]]:{{[0-9]+}} in main
// CHECK: CspThreadSanitizer: reported 1 warnings
