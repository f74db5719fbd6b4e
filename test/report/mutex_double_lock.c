// mutex_double_lock.c - locking a mutex that one holds already is told before it blocks for ever.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include <pthread.h>
#include <unistd.h>

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;

static void *unblock(void *arg)
{
    (void)arg;
    _exit(66); // the report has been written by then: nothing buffers it
}

static void *later(void *arg)
{
    usleep(2000000);
    return unblock(arg);
}

int main(void)
{
    pthread_t t;
    pthread_create(&t, NULL, later, NULL);
    pthread_mutex_lock(&m); // line: first
    pthread_mutex_lock(&m); // line: second
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: double lock of a mutex (pid=
// CHECK-NEXT: {{^}}    #0 pthread_mutex_lock
// CHECK-NEXT: {{^}}    #1 main {{.*}}mutex_double_lock.c:[[#second]]:
// CHECK: {{^}}  and:
// CHECK: {{^}}    #1 main {{.*}}mutex_double_lock.c:[[#first]]:
