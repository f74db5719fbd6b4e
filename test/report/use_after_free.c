// use_after_free.c - use of a freed block by another coroutine: who freed it, and where it had been allocated.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include "../race/invisible.h"
#include <stdlib.h>

static void *block;

static void release(void *arg)
{
    free(arg); // line: free
    invisible_step();
}

static void *make(void)
{
    return malloc(40); // line: malloc
}

int main(void)
{
    int *p = make();
    p[5] = 1;
    invisible_put(&block, p);
    csp_go(release, p);
    invisible_wait(1);
    ((volatile int *)invisible_get(&block))[5] = 2; // line: use
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: heap-use-after-free (pid=
// CHECK-NEXT: {{^}}  Write of size 4 at 0x
// CHECK-NEXT: #0 main {{.*}}use_after_free.c:[[#use]]:
// CHECK: {{^}}  Previous write of size 8 at 0x
// CHECK-NEXT: #0 free
// CHECK-NEXT: #1 release {{.*}}use_after_free.c:[[#free]]:
// CHECK: {{^}}  The freed block was allocated at:
// CHECK-NEXT: #0 malloc
// CHECK: #{{[12]}} {{make|main}} {{.*}}use_after_free.c:[[#malloc]]:
