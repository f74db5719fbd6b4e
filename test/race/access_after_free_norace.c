// access_after_free_norace.c - a use ordered before the free is none after it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

#include <stdlib.h>

int *block;
static csp_wg all;

static void user(void *arg)
{
    (void)arg;
    invisible_use(block[0]); // line: read
    invisible_step();
    csp_wg_done(&all);
}

int main(void)
{
    block = calloc(4, sizeof(int));
    csp_wg_add(&all, 1);
    csp_go(user, NULL);
    csp_wg_wait(&all);
    free(block); // line: free
    invisible_step();
    invisible_wait(2);
    return 0;
}
