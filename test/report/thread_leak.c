// thread_leak.c - threads that have ended and were neither joined nor detached are reported at exit, once for each place.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
// RUN: %check_norace --options='report_thread_leaks=0' %s
// RUN: echo 'thread:forget' > %t.supp
// RUN: %check_norace --options='suppressions=%t.supp' %s
// RUN: %check_norace --flags='-fsanitize=cspthread -g -DRIGHT' %s
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

static void *nothing(void *arg)
{
    return arg;
}

static void *wait_for_ever(void *arg)
{
    for (;;)
        pause();
    return arg;
}

static void forget(void)
{
    for (int i = 0; i < 3; i++) {
        pthread_t t;
        pthread_create(&t, NULL, nothing, NULL); // line: forget
#ifdef RIGHT
        if (i == 1)
            pthread_detach(t);
        else
            pthread_join(t, NULL);
#endif
    }
}

// How many threads the process has, by the kernel's word: those that have ended have done all they had to do.
static int count_threads(void)
{
    char line[256];
    int n = 0;
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "Threads: %d", &n) == 1)
            break;
    if (f)
        fclose(f);
    return n;
}

int main(void)
{
    pthread_t t;
    pthread_create(&t, NULL, wait_for_ever, NULL); // still running: not a leak
    forget();
    for (int i = 0; i < 10000 && count_threads() > 2; i++)
        usleep(1000);
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: thread leak (pid=
// CHECK-NEXT: {{^}}  Thread T{{[0-9]+}} (tid={{[0-9]+}}, finished) created by main {{thread|coroutine}} at:
// CHECK-NEXT: #0 pthread_create
// CHECK-NEXT: #1 forget {{.*}}thread_leak.c:[[#forget]]:
// CHECK: {{^}}  And 2 more similar thread leaks.
// CHECK: SUMMARY: CspThreadSanitizer: thread leak {{.*}}thread_leak.c:[[#forget]]:{{[0-9]+}} in forget
// CHECK: reported 1 warnings
