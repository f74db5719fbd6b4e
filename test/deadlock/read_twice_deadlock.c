// read_twice_deadlock.c - a reader that reads again while a writer waits: it waits for the writer, which waits for it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include <csp/csp.h>

static csp_rwmutex m;

static void writer(void *arg)
{
    (void)arg;
    csp_rwmutex_lock(&m); // line: writer
    csp_rwmutex_unlock(&m);
}

static void reader(void *arg)
{
    (void)arg;
    csp_rwmutex_rlock(&m); // line: first
    csp_go(writer, NULL);
    while (csp_rwmutex_tryrlock(&m)) { // until the writer waits
        csp_rwmutex_runlock(&m);
        csp_yield();
    }
    csp_rwmutex_rlock(&m); // line: second
}

int main(void)
{
    csp_go(reader, NULL);
    return 0;
}

// CHECK: {{^}}WARNING: CspThreadSanitizer: recursive read lock behind a waiting writer (pid={{[0-9]+}}){{$}}
// CHECK-NEXT: {{^}}    #0 csp_rwmutex_rlock
// CHECK-NEXT: {{^}}    #1 reader {{.*}}read_twice_deadlock.c:[[#second]]:
// CHECK: {{^}}  and:
// CHECK-NEXT: {{^}}    #0 csp_rwmutex_rlock
// CHECK-NEXT: {{^}}    #1 reader {{.*}}read_twice_deadlock.c:[[#first]]:
// CHECK: WARNING: CspThreadSanitizer: coroutine leak
// CHECK: {{^}}    #1 writer {{.*}}read_twice_deadlock.c:[[#writer]]:
