// access_after_free_race.c - a use after the free by somebody not ordered after it is a race with the free.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include "invisible.h"

#include <stdlib.h>

int *block;
static csp_wg all;

static void user(void *arg)
{
    (void)arg;
    invisible_wait(1);
    invisible_use(block[0]); // line: read
    invisible_step();
    csp_wg_done(&all);
}

int main(void)
{
    block = calloc(4, sizeof(int));
    csp_wg_add(&all, 1);
    csp_go(user, NULL);
    free(block); // line: free
    invisible_step();
    invisible_wait(2);
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: heap-use-after-free (pid={{[0-9]+}})
// CHECK-NEXT: {{^}}  Read of size 4 at 0x{{[0-9a-f]+}} by coroutine {{[0-9]+}}{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 user {{.*}}access_after_free_race.c:[[#read]]:
// CHECK: {{^}}  Previous write of size {{[0-9]+}} at 0x{{[0-9a-f]+}} by main coroutine{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 free
// CHECK-NEXT: {{^}}    #1 main {{.*}}access_after_free_race.c:[[#free]]:
// CHECK: {{^}}  Coroutine {{[0-9]+}} ({{running|finished}}) created by {{main coroutine|coroutine [0-9]+}} at:
// CHECK-NEXT: {{^}}    #0 csp_go
// CHECK: SUMMARY: CspThreadSanitizer: heap-use-after-free {{.*}}access_after_free_race.c:[[#read]]:{{[0-9]+}} in user
// CHECK: CspThreadSanitizer: reported 1 warnings
