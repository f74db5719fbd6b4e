// double_free_norace.c - a block that came from the same place after a free elsewhere, freed in turn: two blocks.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

#include <stdlib.h>

static csp_wg all;

static void frees_its_own(void *arg)
{
    (void)arg;
    free(malloc(4 * sizeof(int)));
    invisible_step();
    csp_wg_done(&all);
}

int main(void)
{
    csp_wg_add(&all, 1);
    csp_go(frees_its_own, NULL);
    invisible_wait(1);
    free(malloc(4 * sizeof(int))); // with one worker at the same address
    return 0;
}
