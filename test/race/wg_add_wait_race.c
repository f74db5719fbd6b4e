// wg_add_wait_race.c - an add from 0 that is not ordered before the wait is misuse, and is reported as what it is.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include "invisible.h"

static csp_wg group;

static void worker(void *arg)
{
    (void)arg;
    csp_wg_add(&group, 1); // line: add
    invisible_step();
    invisible_wait(2);
    csp_wg_done(&group);
}

static void lets_go(void *arg)
{
    (void)arg;
    invisible_settle();
    invisible_step();
}

int main(void)
{
    csp_go(worker, NULL);
    invisible_wait(1);
    csp_go(lets_go, NULL);
    csp_wg_wait(&group); // line: wait
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: data race
// CHECK: {{^}}    #0 csp_wg_wait
// CHECK-NEXT: {{^}}    #1 main {{.*}}wg_add_wait_race.c:[[#wait]]:
// CHECK: {{^}}    #0 csp_wg_add
// CHECK-NEXT: {{^}}    #1 worker {{.*}}wg_add_wait_race.c:[[#add]]:
