// cancelled.c - a thread that was cancelled and then finds a race: its report is whole, and others' reports follow.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race --options=suppress_equal_stacks=0 %s
#define INVISIBLE_THREADS
#include "../race/invisible.h"

#include <pthread.h>

int first, second;

static void *cancelled(void *arg)
{
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    invisible_step();
    invisible_wait(2);
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
    first = 2; // line: cancelled
    pthread_testcancel();
    return arg;
}

static void *writer(void *arg)
{
    second = 1; // line: writer
    invisible_step();
    return arg;
}

int main(void)
{
    pthread_t thread;
    void *result;
    pthread_create(&thread, NULL, cancelled, NULL);
    first = 1;
    invisible_wait(1);
    pthread_cancel(thread);
    invisible_step();
    pthread_join(thread, &result);
    pthread_create(&thread, NULL, writer, NULL);
    invisible_wait(3);
    second = 2; // line: main
    pthread_join(thread, NULL);
    return result != PTHREAD_CANCELED;
}

// CHECK: WARNING: CspThreadSanitizer: data race
// CHECK: #0 cancelled {{.*}}cancelled.c:[[#cancelled]]:
// CHECK: SUMMARY: CspThreadSanitizer: data race {{.*}}cancelled.c:[[#cancelled]]:{{[0-9]+}} in cancelled
// CHECK: WARNING: CspThreadSanitizer: data race
// CHECK: #0 main {{.*}}cancelled.c:[[#main]]:
// CHECK: #0 writer {{.*}}cancelled.c:[[#writer]]:
// CHECK: CspThreadSanitizer: reported 2 warnings
