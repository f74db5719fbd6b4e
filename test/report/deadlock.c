// deadlock.c - everybody asleep: said as Go says it, with the stack of each, and status 2.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race --status=2 %s
#include <csp/csp.h>

static csp_chan *never;

static void waiter(void *arg)
{
    (void)arg;
    csp_recv(never, NULL); // line: waiter
}

int main(void)
{
    never = csp_chan_new(0, 0);
    csp_go(waiter, NULL);
    csp_send(csp_chan_new(0, 0), NULL); // line: main
    return 0;
}

// CHECK: fatal error: all coroutines are asleep - deadlock!
// CHECK-DAG: coroutine {{[0-9]+}} [chan send]:
// CHECK-DAG: #1 main {{.*}}deadlock.c:[[#main]]:
// CHECK-DAG: coroutine {{[0-9]+}} [chan receive]:
// CHECK-DAG: #1 waiter {{.*}}deadlock.c:[[#waiter]]:
