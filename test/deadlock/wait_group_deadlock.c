// wait_group_deadlock.c - one waits for the other's done under the mutex that the other needs before it is done.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include <csp/csp.h>

typedef struct job {
    csp_mutex m;
    csp_wg wg;
} job;

static void worker(void *arg)
{
    job *j = arg;
    csp_mutex_lock(&j->m); // line: lock
    csp_mutex_unlock(&j->m);
    csp_wg_done(&j->wg);
}

static void starter(void *arg)
{
    job *j = arg;
    csp_mutex_lock(&j->m);
    csp_wg_add(&j->wg, 1);
    csp_go(worker, j);
    csp_wg_wait(&j->wg); // line: wait
    csp_mutex_unlock(&j->m);
}

int main(void)
{
    static job j;
    csp_go(starter, &j);
    return 0;
}

// CHECK: {{^}}WARNING: CspThreadSanitizer: deadlock (pid={{[0-9]+}}){{$}}
// CHECK-NEXT: {{^}}  Coroutine [[S:[0-9]+]] => coroutine [[W:[0-9]+]] => coroutine [[S]]{{$}}
// CHECK: {{^}}  Coroutine [[S]] waits for wait group{{.*}}, at:{{$}}
// CHECK-NEXT: {{^}}    #0 csp_wg_wait
// CHECK-NEXT: {{^}}    #1 starter {{.*}}wait_group_deadlock.c:[[#wait]]:
// CHECK: {{^}}  Coroutine [[W]] waits for mutex M{{.*}}, at:{{$}}
// CHECK-NEXT: {{^}}    #0 csp_mutex_lock
// CHECK-NEXT: {{^}}    #1 worker {{.*}}wait_group_deadlock.c:[[#lock]]:
// CHECK: CspThreadSanitizer: reported 1 warnings
