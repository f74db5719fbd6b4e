// finding_log.c - each report is a line of JSON, with what tells findings apart: kinds, roles, lines within functions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %cspcc -fsanitize=cspthread -g -O1 -I%test_dir/race %s -o %t
// RUN: rm -f %t.log && not env CSPTHREAD_OPTIONS=finding_log=%t.log:color=always %t 2>%t.err
// RUN: %python %test_dir/report/finding_log.py %t.log | FileCheck %s --check-prefixes=CHECK,LEAK
// RUN: rm -f %t.log && not env CSPTHREAD_OPTIONS=finding_log=%t.log %t panic 2>%t.err
// RUN: %python %test_dir/report/finding_log.py %t.log | FileCheck %s --check-prefixes=CHECK,PANIC
// RUN: rm -f %t.log && not env CSPTHREAD_OPTIONS=finding_log=%t.log %t asleep 2>%t.err
// RUN: %python %test_dir/report/finding_log.py %t.log | FileCheck %s --check-prefixes=CHECK,ASLEEP
// RUN: rm -f %t.log && not env CSPTHREAD_OPTIONS=finding_log=%t.log:leak_classes=none:report_bugs=1 %t 2>%t.err
// RUN: %python %test_dir/report/finding_log.py %t.log | FileCheck %s --check-prefix=MILD
// RUN: not env CSPTHREAD_OPTIONS=finding_log=/dev/full %t 2>&1 | FileCheck %s --check-prefix=FULL
#include "invisible.h"

// CHECK: kind data race, title data race {{.*}}finding_log.c:[[@LINE+8]]:{{[0-9]+}} in count, mild False
// CHECK-NEXT: primary write (write of size 4) by {{[0-9]+}} na"me{{$}}
// CHECK-NEXT: {{ }}count +2{{$}}
// CHECK-NEXT: {{ }}worker +4{{$}}
static int counter;
static csp_mutex a, b;
static void count(void)
{
    counter++;
}
static void worker(void *arg)
{
    (void)arg;
    invisible_wait(1);
    count();
    invisible_step();
}
// CHECK-NEXT: primary write (write of size 4) by 1 None
// CHECK-NEXT: {{ }}main +4{{$}}
// CHECK-NEXT: {{^}}  creation (creation) by
// CHECK-NEXT: csp_go_with +None library
// CHECK-NEXT: {{ }}main +3{{$}}

// CHECK: kind lock inversion, title lock-order-inversion (potential deadlock)
// CHECK: primary lock (lock) by
// CHECK: primary held (held) by
static void forth(void *arg)
{
    (void)arg;
    invisible_wait(2);
    csp_mutex_lock(&a);
    csp_mutex_lock(&b);
    csp_mutex_unlock(&b);
    csp_mutex_unlock(&a);
    invisible_step();
}
static void leaks(void *arg)
{
    csp_recv(arg, NULL);
}
int main(int argc, char **argv)
{
    csp_chan *ch = csp_chan_new(sizeof(int), 0);
    csp_go_with(&(csp_go_options){.name = "na\"me"}, worker, NULL);
    counter++;
    csp_go(forth, NULL);
    invisible_step();
    invisible_wait(3);
    csp_mutex_lock(&b);
    csp_mutex_lock(&a);
    csp_mutex_unlock(&a);
    csp_mutex_unlock(&b);
    csp_go(leaks, ch);
    if (argc > 1 && argv[1][0] == 'p')
        csp_panic("%s", "so \"it\" is");
    if (argc > 1)
        csp_recv(ch, NULL);
    return 0;
}
// LEAK: kind leak, title coroutine leak {{.*}} in leaks, mild False
// LEAK-NEXT: primary parked (parked in chan receive) by
// LEAK-NEXT: csp_recv +None library
// LEAK-NEXT: {{ }}leaks +2
// MILD: kind leak, title coroutine leak {{.*}} in leaks, mild True
// PANIC: kind panic, title panic: so "it" is, mild False
// PANIC-NEXT: primary here (here) by 1
// PANIC-NEXT: csp_panic +None library
// PANIC-NEXT: {{ }}main +14
// ASLEEP: kind deadlock, title all coroutines are asleep - deadlock!, mild False
// ASLEEP-DAG: {{ }}main +16
// ASLEEP-DAG: {{ }}leaks +2
// FULL: cannot write finding_log /dev/full: error 28
// FULL: reported {{[0-9]+}} warnings
