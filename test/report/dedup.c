// dedup.c - equal reports are printed once, however often the race happens.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include <csp/csp.h>

int cells[50];
static csp_wg all;

static void touch(void *arg)
{
    (void)arg;
    for (int i = 0; i < 50; i++)
        cells[i] = i;
    csp_wg_done(&all);
}

int main(void)
{
    csp_wg_add(&all, 20);
    for (int i = 0; i < 20; i++)
        csp_go(touch, NULL);
    csp_wg_wait(&all);
    return 0;
}

// CHECK-COUNT-1: WARNING: CspThreadSanitizer: data race
// CHECK-NOT: WARNING
// CHECK: CspThreadSanitizer: reported 1 warnings
