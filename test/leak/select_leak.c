// select_leak.c - a select of which no case ever becomes ready; every case is listed.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include <csp/csp.h>

static csp_chan *jobs, *results;

static void waiter(void *arg)
{
    (void)arg;
    csp_case cases[] = {csp_case_recv(jobs, NULL, NULL), csp_case_send(results, NULL)};
    csp_select(cases, 2); // line: park
}

int main(void)
{
    jobs = csp_chan_new(0, 0);
    results = csp_chan_new(0, 0);
    csp_go(waiter, NULL); // line: go
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: coroutine leak (pid={{[0-9]+}})
// CHECK-NEXT: {{^}}  Coroutine {{[0-9]+}} is parked in select for {{.*}}:
// CHECK-NEXT: {{^}}    #0 csp_select
// CHECK-NEXT: {{^}}    #1 waiter {{.*}}select_leak.c:[[#park]]:
// CHECK-DAG: receiving on `jobs` (channel of capacity 0, made at {{.*}}select_leak.c:
// CHECK-DAG: sending on `results` (channel of capacity 0, made at {{.*}}select_leak.c:
// CHECK: {{^}}  Coroutine {{[0-9]+}} (parked) created by main coroutine at:
// CHECK-NEXT: {{^}}    #0 csp_go
// CHECK-NEXT: {{^}}    #1 main {{.*}}select_leak.c:[[#go]]:
// CHECK: SUMMARY: CspThreadSanitizer: coroutine leak {{.*}}select_leak.c:[[#park]]:{{[0-9]+}} in waiter
// CHECK: CspThreadSanitizer: reported 1 warnings
