// locks_held.c - the locks held at an access are named, with where they were taken.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include "../race/invisible.h"

int value;
static csp_mutex lock, other_lock;

static void writer(void *arg)
{
    (void)arg;
    csp_mutex_lock(&other_lock);
    value = 1;
    csp_mutex_unlock(&other_lock);
    invisible_step();
}

int main(void)
{
    csp_go(writer, NULL);
    invisible_wait(1);
    csp_mutex_lock(&lock); // line: lock
    value = 2; // line: write
    csp_mutex_unlock(&lock);
    return 0;
}

// CHECK: {{^}}  Write of size 4 at 0x{{[0-9a-f]+}} by main coroutine (mutexes: write [[M:M[0-9]+]]):
// CHECK-NEXT: #0 main {{.*}}locks_held.c:[[#write]]:
// CHECK: {{^}}  Mutex [[M]] {{.*}} at:
// CHECK: #{{[01]}} main {{.*}}locks_held.c:[[#lock]]:
