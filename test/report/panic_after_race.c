// panic_after_race.c - a panic keeps its status 2; the reports made before it stay above it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race --status=2 %s
#include "../race/invisible.h"

int value;

static void writer(void *arg)
{
    (void)arg;
    value = 1;
    invisible_step();
}

int main(void)
{
    csp_go(writer, NULL);
    invisible_wait(1);
    value = 2;
    csp_close(NULL);
    return 0;
}

// CHECK: SUMMARY: CspThreadSanitizer: data race {{.*}} in main
// CHECK: panic: close of nil channel
// CHECK: CspThreadSanitizer: reported 1 warnings
