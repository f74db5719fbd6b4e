// access_realloc_norace.c - what realloc hands back is new memory for the detector, ordered by what follows.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
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
    csp_wg_wait(&all);
    int *bigger = realloc(block, 4000 * sizeof(int)); // line: free
    invisible_use((long)bigger);
    free(bigger);
    return 0;
}
