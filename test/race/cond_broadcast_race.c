// cond_broadcast_race.c - a write after the broadcast is not ordered before the woken waits.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include "invisible.h"

int value;
static csp_mutex lock;
static csp_cond changed;
static bool waiting;

static void writer(void *arg)
{
    (void)arg;
    for (bool ready = false; !ready; invisible_pause()) {
        csp_mutex_lock(&lock);
        ready = waiting;
        csp_mutex_unlock(&lock);
    }
    csp_cond_broadcast(&changed);
    value = 1; // line: write
    invisible_step();
}

int main(void)
{
    csp_go(writer, NULL);
    csp_mutex_lock(&lock);
    waiting = true;
    csp_cond_wait(&changed, &lock);
    csp_mutex_unlock(&lock);
    invisible_wait(1);
    invisible_use(value); // line: read
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: data race (pid={{[0-9]+}})
// CHECK-NEXT: {{^}}  Read of size 4 at 0x{{[0-9a-f]+}} by main coroutine{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 main {{.*}}cond_broadcast_race.c:[[#read]]:
// CHECK: {{^}}  Previous write of size 4 at 0x{{[0-9a-f]+}} by coroutine {{[0-9]+}}{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 writer {{.*}}cond_broadcast_race.c:[[#write]]:
// CHECK: {{^}}  Location is global 'value' of size 4 at
// CHECK: {{^}}  Coroutine {{[0-9]+}} ({{running|finished}}) created by {{main coroutine|coroutine [0-9]+}} at:
// CHECK-NEXT: {{^}}    #0 csp_go
// CHECK: SUMMARY: CspThreadSanitizer: data race {{.*}}cond_broadcast_race.c:[[#read]]:{{[0-9]+}} in main
// CHECK: CspThreadSanitizer: reported 1 warnings
