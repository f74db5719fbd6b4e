// access_realloc_race.c - realloc counts as a free of the old block.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include "invisible.h"

#include <stdlib.h>

int *block;
static csp_wg all;

static void user(void *arg)
{
    (void)arg;
    block[0] = 1; // line: write
    invisible_step();
    csp_wg_done(&all);
}

int main(void)
{
    block = malloc(4 * sizeof(int));
    csp_wg_add(&all, 1);
    csp_go(user, NULL);
    invisible_wait(1);
    int *bigger = realloc(block, 4000 * sizeof(int)); // line: free
    invisible_use((long)bigger);
    free(bigger);
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: data race (pid={{[0-9]+}})
// CHECK-NEXT: {{^}}  {{Read|Write}} of size {{[0-9]+}} at 0x{{[0-9a-f]+}} by main coroutine{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 realloc
// CHECK-NEXT: {{^}}    #1 main {{.*}}access_realloc_race.c:[[#free]]:
// CHECK: {{^}}  Previous write of size 4 at 0x{{[0-9a-f]+}} by coroutine {{[0-9]+}}{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 user {{.*}}access_realloc_race.c:[[#write]]:
// CHECK: {{^}}  Coroutine {{[0-9]+}} ({{running|finished}}) created by {{main coroutine|coroutine [0-9]+}} at:
// CHECK-NEXT: {{^}}    #0 csp_go
// CHECK: SUMMARY: CspThreadSanitizer: data race {{.*}}access_realloc_race.c:[[#free]]:{{[0-9]+}} in main
// CHECK: CspThreadSanitizer: reported {{[0-9]+}} warnings
