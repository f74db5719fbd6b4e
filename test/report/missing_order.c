// missing_order.c - each race says how far the later access is ordered after the earlier one, and where that order came from.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include "../race/invisible.h"

int after_go, unordered, after_send, after_unlock, after_release, after_back, kept, element;
static csp_chan *results;
static csp_mutex lock, again;
static _Atomic int ready;

static void child(void *arg)
{
    (void)arg;
    invisible_wait(1);
    after_go = 2;
    csp_send(results, &(int){1}); // line: send
    after_send = 1;
    csp_mutex_lock(&lock);
    csp_mutex_unlock(&lock); // line: unlock
    after_unlock = 1;
    ready = 1; // line: release
    after_release = 1;
    csp_send(results, &element); // line: element
    invisible_step();
}

static void stranger(void *arg)
{
    (void)arg;
    invisible_wait(2);
    unordered = 1;
    invisible_step();
}

// Its epoch goes on from lock to lock; the last unlock counts.
static void returner(void *arg)
{
    (void)arg;
    invisible_wait(3);
    for (int i = 0; i < 3; i++) {
        csp_mutex_lock(&again);
        kept++;
        csp_mutex_unlock(&again);
    }
    csp_mutex_lock(&again);
    kept++;
    csp_mutex_unlock(&again); // line: back
    after_back = 1;
    invisible_step();
}

int main(void)
{
    int v;
    results = csp_chan_new(sizeof(int), 4);
    csp_go(child, NULL); // line: go
    csp_go(stranger, NULL);
    csp_go(returner, NULL);
    after_go = 1;
    element = 1;
    invisible_step();
    invisible_wait(4);
    unordered = 2;
    csp_recv(results, &v);
    after_send = 2;
    csp_mutex_lock(&lock);
    after_unlock = 2;
    csp_mutex_unlock(&lock);
    while (!ready)
        ;
    after_release = 2;
    csp_mutex_lock(&again);
    after_back = 2;
    csp_mutex_unlock(&again);
    return 0;
}

// The child met main's csp_go only.
// CHECK: Previous write of size 4
// CHECK: Location is global 'after_go'
// CHECK: {{^}}  Coroutine [[C:[0-9]+]] is ordered after what main coroutine did before its csp_go of 'child' at {{.*}}missing_order.c:[[#go]]:5, but not after the previous write, which came later.

// CHECK: Location is global 'element'
// CHECK: {{^}}  Coroutine [[C]] is ordered after what main coroutine did before its csp_go of 'child' at {{.*}}missing_order.c:[[#go]]:5,
// CHECK-NEXT: {{^}}  The current access is part of csp_send on 'results'.

// CHECK: Location is global 'unordered'
// CHECK: {{^}}  Nothing orders the two accesses: main coroutine is ordered after nothing that coroutine {{[0-9]+}} did.

// CHECK: Location is global 'after_send'
// CHECK: {{^}}  Main coroutine is ordered after what coroutine [[C]] did before its send on 'results' at {{.*}}missing_order.c:[[#send]]:5, but not

// CHECK: Location is global 'after_unlock'
// CHECK: {{^}}  Main coroutine is ordered after what coroutine [[C]] did before its unlock on '{{&?}}lock' at {{.*}}missing_order.c:[[#unlock]]:5, but not
// CHECK-NEXT: {{^}}  They held no lock in common.

// CHECK: Location is global 'after_release'
// CHECK: {{^}}  Main coroutine is ordered after what coroutine [[C]] did before its release at {{.*}}missing_order.c:[[#release]]:

// CHECK: Location is global 'after_back'
// CHECK: {{^}}  Main coroutine is ordered after what coroutine {{[0-9]+}} did before its unlock on '{{&?}}again' at {{.*}}missing_order.c:[[#back]]:
