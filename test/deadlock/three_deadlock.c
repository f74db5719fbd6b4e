// three_deadlock.c - a cycle of three, with a reader-writer lock in it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include <csp/csp.h>

static csp_mutex a, b;
static csp_rwmutex c;
static csp_wg all_have_one;

static void wait_for_others(void)
{
    csp_wg_done(&all_have_one);
    csp_wg_wait(&all_have_one);
}

static void takes_a(void *arg)
{
    (void)arg;
    csp_mutex_lock(&a);
    wait_for_others();
    csp_mutex_lock(&b); // line: b
}

static void takes_b(void *arg)
{
    (void)arg;
    csp_mutex_lock(&b);
    wait_for_others();
    csp_rwmutex_lock(&c); // line: c
}

static void reads_c(void *arg)
{
    (void)arg;
    csp_rwmutex_rlock(&c); // line: read
    wait_for_others();
    csp_mutex_lock(&a); // line: a
}

int main(void)
{
    csp_wg_add(&all_have_one, 3);
    csp_go(takes_a, NULL);
    csp_go(takes_b, NULL);
    csp_go(reads_c, NULL);
    return 0;
}

// CHECK: {{^}}WARNING: CspThreadSanitizer: deadlock (pid={{[0-9]+}}){{$}}
// CHECK-NEXT: {{^}}  Coroutine [[X:[0-9]+]] => coroutine {{[0-9]+}} => coroutine {{[0-9]+}} => coroutine [[X]]{{$}}
// CHECK-DAG: {{^}}    #1 takes_a {{.*}}three_deadlock.c:[[#b]]:
// CHECK-DAG: {{^}}    #1 takes_b {{.*}}three_deadlock.c:[[#c]]:
// CHECK-DAG: {{^}}    #1 reads_c {{.*}}three_deadlock.c:[[#read]]:
// CHECK-DAG: {{^}}    #1 reads_c {{.*}}three_deadlock.c:[[#a]]:
// CHECK: CspThreadSanitizer: reported 1 warnings
