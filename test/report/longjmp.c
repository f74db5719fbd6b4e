// longjmp.c - frames left by longjmp are gone from the stacks of later reports.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race --levels=O0,O1,O2 %s
#include <csp/csp.h>

#include <setjmp.h>

int value;
static csp_wg all;

__attribute__((noinline)) static void leave(jmp_buf back, int depth)
{
    if (depth == 0)
        longjmp(back, 1);
    leave(back, depth - 1);
    value = 2;
}

__attribute__((noinline)) static void store(void)
{
    value = 1; // line: store
}

static void work(void *arg)
{
    (void)arg;
    jmp_buf back;
    if (setjmp(back) == 0)
        leave(back, 5);
    store(); // line: work
    csp_wg_done(&all);
}

int main(void)
{
    csp_wg_add(&all, 2);
    csp_go(work, NULL);
    csp_go(work, NULL);
    csp_wg_wait(&all);
    return 0;
}

// CHECK: Write of size 4
// CHECK-NEXT: #0 store {{.*}}longjmp.c:[[#store]]:
// CHECK-NEXT: #1 work {{.*}}longjmp.c:[[#work]]:
// CHECK-EMPTY:
// CHECK: Previous write of size 4
// CHECK-NEXT: #0 store {{.*}}longjmp.c:[[#store]]:
// CHECK-NEXT: #1 work {{.*}}longjmp.c:[[#work]]:
// CHECK-EMPTY:
// CHECK: reported 1 warnings
