// locks_held.c - the locks held at each access are named, those of the earlier one as they were then, with where they were taken.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include "../race/invisible.h"

int value, before;
static csp_mutex lock, other_lock;
static csp_rwmutex third_lock;

static void writer(void *arg)
{
    (void)arg;
    before = 1; // line: before
    csp_rwmutex_rlock(&third_lock); // line: third
    csp_mutex_lock(&other_lock); // line: other
    value = 1; // line: previous
    csp_mutex_unlock(&other_lock);
    csp_rwmutex_runlock(&third_lock);
    invisible_step();
}

int main(void)
{
    csp_go(writer, NULL);
    invisible_wait(1);
    csp_mutex_lock(&lock); // line: lock
    value = 2; // line: write
    before = 2; // line: write_before
    csp_mutex_unlock(&lock);
    return 0;
}

// CHECK: {{^}}  Write of size 4 at 0x{{[0-9a-f]+}} by main coroutine (mutexes: write [[M:M[0-9]+]]):
// CHECK-NEXT: #0 main {{.*}}locks_held.c:[[#write]]:
// CHECK: {{^}}  Previous write of size 4 at 0x{{[0-9a-f]+}} by coroutine {{[0-9]+}} (mutexes: read [[R:M[0-9]+]], write [[O:M[0-9]+]]):
// CHECK-NEXT: #0 writer {{.*}}locks_held.c:[[#previous]]:
// CHECK: {{^}}  Mutex [[M]] 'lock' (0x{{[0-9a-f]+}}) locked at:
// CHECK: #{{[01]}} main {{.*}}locks_held.c:[[#lock]]:
// CHECK: {{^}}  Mutex [[R]] 'third_lock' (0x{{[0-9a-f]+}}) locked at:
// CHECK: #{{[01]}} writer {{.*}}locks_held.c:[[#third]]:
// CHECK: {{^}}  Mutex [[O]] 'other_lock' (0x{{[0-9a-f]+}}) locked at:
// CHECK: #{{[01]}} writer {{.*}}locks_held.c:[[#other]]:
// A lock that was taken later, within the same epoch, is not the earlier access's.
// CHECK: {{^}}  Write of size 4 at 0x{{[0-9a-f]+}} by main coroutine (mutexes: write [[M]]):
// CHECK-NEXT: #0 main {{.*}}locks_held.c:[[#write_before]]:
// CHECK: {{^}}  Previous write of size 4 at 0x{{[0-9a-f]+}} by coroutine {{[0-9]+}}:
// CHECK-NEXT: #0 writer {{.*}}locks_held.c:[[#before]]:
