// double_free_race.c - two frees of one block without an order are a race, told before libc ends the process over it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race --options=halt_on_error=1 %s
#include "invisible.h"

#include <stdlib.h>

int *block;
static csp_wg all;

static void frees(void *arg)
{
    (void)arg;
    free(block); // line: first
    invisible_step();
    csp_wg_done(&all);
}

int main(void)
{
    block = malloc(4 * sizeof(int)); // line: made
    csp_wg_add(&all, 1);
    csp_go(frees, NULL);
    invisible_wait(1);
    free(block); // line: second
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: heap-use-after-free (pid={{[0-9]+}})
// CHECK: {{^}}    #0 free
// CHECK-NEXT: {{^}}    #1 main {{.*}}double_free_race.c:[[#second]]:
// CHECK: {{^}}    #0 free
// CHECK-NEXT: {{^}}    #1 frees {{.*}}double_free_race.c:[[#first]]:
// CHECK: allocated at:
// CHECK: {{^}}    #1 main {{.*}}double_free_race.c:[[#made]]:
