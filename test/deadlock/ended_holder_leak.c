// ended_holder_leak.c - a lock whose holder has ended: the report of who waits for it names the one that ended, and where it locked.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include <csp/csp.h>

static csp_mutex m;

static void holder(void *arg)
{
    csp_mutex_lock(&m); // line: lock
    csp_send(arg, NULL);
}

static void waiter(void *arg)
{
    csp_recv(arg, NULL);
    csp_mutex_lock(&m); // line: wait
    csp_mutex_unlock(&m);
}

int main(void)
{
    csp_chan *locked = csp_chan_new(0, 0);
    csp_go(waiter, locked);
    csp_go(holder, locked); // line: go
    return 0;
}

// CHECK: {{^}}WARNING: CspThreadSanitizer: coroutine leak (pid={{[0-9]+}}){{$}}
// CHECK: {{^}}    #1 waiter {{.*}}ended_holder_leak.c:[[#wait]]:
// CHECK: {{^}}  waiting for `m` (mutex at {{0x[0-9a-f]+}}){{$}}
// CHECK-NEXT: {{^}}    it was locked by coroutine {{[0-9]+}} (`holder`, started at {{.*}}ended_holder_leak.c:[[#go]]:{{[0-9]+}}), which has ended without unlocking it, at {{.*}}ended_holder_leak.c:[[#lock]]:
// CHECK-NEXT: {{^}}  hint: whoever locked it has ended or lost it: unlock on every path{{$}}
// CHECK: CspThreadSanitizer: reported 1 warnings
