// pthread_deadlock.c - two threads, each with what the other wants; main goes on, and ends the process.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check --status=66 %s
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t both_have_one;
static _Atomic int tids[2];

static void *first(void *arg)
{
    tids[0] = (int)syscall(SYS_gettid);
    pthread_mutex_lock(&a);
    pthread_barrier_wait(&both_have_one);
    pthread_mutex_lock(&b); // line: b
    return arg;
}

static void *second(void *arg)
{
    tids[1] = (int)syscall(SYS_gettid);
    pthread_mutex_lock(&b);
    pthread_barrier_wait(&both_have_one);
    pthread_mutex_lock(&a); // line: a
    return arg;
}

// Whether the thread sleeps in futex, the kernel's word for it.
static int waits_for_lock(int tid)
{
    char path[64], text[64] = "";
    snprintf(path, sizeof path, "/proc/self/task/%d/syscall", tid);
    FILE *f = fopen(path, "r");
    size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;
    if (f)
        fclose(f);
    return n && !strncmp(text, "202 ", 4);
}

int main(void)
{
    pthread_t t[2];
    pthread_barrier_init(&both_have_one, NULL, 2);
    pthread_create(&t[0], NULL, first, NULL);
    pthread_create(&t[1], NULL, second, NULL);
    for (int calm = 0; calm < 3; usleep(2000)) // who is making the report does not sleep there
        calm = waits_for_lock(tids[0]) && waits_for_lock(tids[1]) ? calm + 1 : 0;
    return 0;
}

// CHECK: {{^}}WARNING: CspThreadSanitizer: deadlock (pid={{[0-9]+}}){{$}}
// CHECK-NEXT: {{^}}  Thread [[X:T[12]]] => thread {{T[12]}} => thread [[X]]{{$}}
// CHECK-DAG: {{^}}    #1 first {{.*}}pthread_deadlock.c:[[#b]]:
// CHECK-DAG: {{^}}    #1 second {{.*}}pthread_deadlock.c:[[#a]]:
// CHECK: SUMMARY: CspThreadSanitizer: deadlock
// CHECK: CspThreadSanitizer: reported 1 warnings
