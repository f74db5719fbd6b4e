// inlined.c - functions that the compiler inlined have frames of their own.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race --levels=O0,O2 %s
#include <csp/csp.h>

int value;
static csp_wg all;

static inline void innermost(void)
{
    value++; // line: innermost
}

static inline void middle(void)
{
    innermost(); // line: middle
}

static void outermost(void *arg)
{
    (void)arg;
    middle(); // line: outermost
    csp_wg_done(&all);
}

int main(void)
{
    csp_wg_add(&all, 2);
    csp_go(outermost, NULL);
    csp_go(outermost, NULL);
    csp_wg_wait(&all);
    return 0;
}

// CHECK: {{Read|Write}} of size 4
// CHECK-NEXT: #0 innermost {{.*}}inlined.c:[[#innermost]]:
// CHECK-NEXT: #1 middle {{.*}}inlined.c:[[#middle]]:
// CHECK-NEXT: #2 outermost {{.*}}inlined.c:[[#outermost]]:
// CHECK-NOT: #3
// CHECK: Previous write of size 4
// CHECK-NEXT: #0 innermost {{.*}}inlined.c:[[#innermost]]:
// CHECK-NEXT: #1 middle {{.*}}inlined.c:[[#middle]]:
// CHECK-NEXT: #2 outermost {{.*}}inlined.c:[[#outermost]]:
// CHECK-NOT: #3
// CHECK: created by main coroutine at:
// CHECK-NEXT: #0 csp_go
// CHECK-NEXT: #1 main {{.*}}inlined.c:{{[0-9]+}}:
// CHECK: SUMMARY: CspThreadSanitizer: data race {{.*}}inlined.c:[[#innermost]]:{{[0-9]+}} in innermost
