// rwmutex_runlock_lock_race.c - a reader that reads after its unlock races with the next writer.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include "invisible.h"

int value;
static csp_rwmutex lock;

static void reader(void *arg)
{
    (void)arg;
    csp_rwmutex_rlock(&lock);
    csp_rwmutex_runlock(&lock);
    invisible_use(value); // line: read
    invisible_step();
}

int main(void)
{
    csp_go(reader, NULL);
    invisible_wait(1);
    csp_rwmutex_lock(&lock);
    value = 1; // line: write
    csp_rwmutex_unlock(&lock);
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: data race (pid={{[0-9]+}})
// CHECK-NEXT: {{^}}  Write of size 4 at 0x{{[0-9a-f]+}} by main coroutine{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 main {{.*}}rwmutex_runlock_lock_race.c:[[#write]]:
// CHECK: {{^}}  Previous read of size 4 at 0x{{[0-9a-f]+}} by coroutine {{[0-9]+}}{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 reader {{.*}}rwmutex_runlock_lock_race.c:[[#read]]:
// CHECK: {{^}}  Location is global 'value' of size 4 at
// CHECK: {{^}}  Coroutine {{[0-9]+}} ({{running|finished}}) created by {{main coroutine|coroutine [0-9]+}} at:
// CHECK-NEXT: {{^}}    #0 csp_go
// CHECK: SUMMARY: CspThreadSanitizer: data race {{.*}}rwmutex_runlock_lock_race.c:[[#write]]:{{[0-9]+}} in main
// CHECK: CspThreadSanitizer: reported 1 warnings
