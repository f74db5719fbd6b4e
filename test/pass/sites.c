// sites.c - each marked call carries its place and the words for its object, wherever in a statement it stands.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %race_clang -O0 -S -emit-llvm %s -o - | %python %S/Inputs/list_sites.py | FileCheck %s
// RUN: %race_clang -O2 -g -S -emit-llvm %s -o - | %python %S/Inputs/list_sites.py | FileCheck %s
// RUN: %race_clang -O2 -flto=thin -S -emit-llvm %s -o - | %python %S/Inputs/list_sites.py | FileCheck %s
// list_sites.py prints the sites by line and column and fails when a marker is left.

#include <csp/csp.h>
#include <pthread.h>

CSP_CHAN_TYPE(ints, int)
struct point {
    int x, y;
};
CSP_CHAN_TYPE(points, struct point)

struct app {
    csp_chan *jobs;
    pthread_mutex_t lock;
} app;
csp_chan *results;
extern void use(int);

static void work(void *arg)
{
    (void)arg;
}
#define SEND(channel, v) csp_send((channel), (v))
#define SEND_RESULT(v) csp_send(results, (v))

// CHECK:      [[#@LINE+3]]:12 "" sites.c
csp_chan *make(void)
{
    return csp_chan_new(4, 0);
}

void statements(struct app *a, ints numbers, points path, ints_tx out, ints_rx in)
{
    int v = 0;
    // CHECK-NEXT: [[#@LINE+1]]:16 "app.jobs"
    app.jobs = csp_chan_new(sizeof v, 3);
    // CHECK-NEXT: [[#@LINE+1]]:25 "fresh"
    csp_chan *fresh = ((csp_chan_new(sizeof v, 3)));
    // CHECK-NEXT: [[#@LINE+1]]:17 "made"
    ints made = ints_new(1);
    // CHECK-NEXT: [[#@LINE+1]]:9 "a->jobs"
    if (csp_recv(a->jobs, &v))
        use(1);
    // CHECK-NEXT: [[#@LINE+1]]:12 "a[v + 1].jobs"
    while (csp_recv((a[v +
                       1].jobs), &v))
        use(2);
    // CHECK-NEXT: [[#@LINE+1]]:11 "fresh"
    for (;csp_try_recv(fresh, &v) == 1;)
        use(3);
    // CHECK-NEXT: [[#@LINE+1]]:5 "results"
    SEND(results, &v);
    // CHECK-NEXT: [[#@LINE+1]]:5 "results"
    SEND_RESULT(&v);
    // CHECK-NEXT: [[#@LINE+2]]:5 "work"
    // CHECK-NEXT: [[#@LINE+1]]:22 "work"
    csp_go(work, 0), csp_go(&work, a);
    // CHECK-NEXT: [[#@LINE+1]]:5 "a->lock"
    pthread_mutex_lock(&a->lock);
    // The function a thread runs names it, not the variable of its handle.
    pthread_t t;
    // CHECK-NEXT: [[#@LINE+1]]:5 "work"
    pthread_create(&t, 0, (void *(*)(void *))work, 0);
    // Typed channels are wrappers in a header: the place is the wrapper's caller.
    // CHECK-NEXT: [[#@LINE+1]]:5 "numbers"
    ints_send(numbers, 1);
    // CHECK-NEXT: [[#@LINE+1]]:5 "out"
    ints_send(out, 1);
    // CHECK-NEXT: [[#@LINE+1]]:5 "path"
    points_send(path, (struct point){1, 2});
    // CHECK-NEXT: [[#@LINE+1]]:5 "made"
    ints_close(made);
    // CHECK-NEXT: [[#@LINE+1]]:5 "in"
    CSP_RANGE(v, in)
        use(4);
    // CHECK-NEXT: [[#@LINE+3]]:5 ""
    // CHECK-NEXT: [[#@LINE+2]]:16 "results"
    // CHECK-NEXT: [[#@LINE+1]]:44 ""
    CSP_SELECT(csp_case_send(results, &v), csp_case_after(CSP_MS));
    // CHECK-NEXT: [[#@LINE+1]]:5 "fresh"
    csp_chan_free(fresh);
}

// CHECK-NEXT: [[#@LINE+4]]:12 "results"
// CHECK-NEXT: [[#@LINE+3]]:30 "app.jobs"
bool nested(void)
{
    return csp_recv(results, csp_recv(app.jobs, 0) ? (void *)&app : (void *)0);
}

// CHECK-NEXT: 1000:5 "results" other.y
void elsewhere(void)
{
#line 1000 "other.y"
    csp_close(results);
}
// CHECK-NEXT: end
