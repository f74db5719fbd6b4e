// access_free_race.c - free is a write of the block: a use that is not ordered before it races, also when it came first.
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
    free(block); // line: free
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: data race (pid={{[0-9]+}})
// CHECK-NEXT: {{^}}  Write of size {{[0-9]+}} at 0x{{[0-9a-f]+}} by main coroutine{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 free
// CHECK-NEXT: {{^}}    #1 main {{.*}}access_free_race.c:[[#free]]:
// CHECK: {{^}}  Previous write of size 4 at 0x{{[0-9a-f]+}} by coroutine {{[0-9]+}}{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 user {{.*}}access_free_race.c:[[#write]]:
// CHECK: {{^}}  Coroutine {{[0-9]+}} ({{running|finished}}) created by {{main coroutine|coroutine [0-9]+}} at:
// CHECK-NEXT: {{^}}    #0 csp_go
// CHECK: SUMMARY: CspThreadSanitizer: data race {{.*}}access_free_race.c:[[#free]]:{{[0-9]+}} in main
// CHECK: CspThreadSanitizer: reported 1 warnings
