// reuse_heap_unordered_norace.c - malloc and free of unrelated coroutines: the allocator hands memory on, and that is nobody's race.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

#include <stdlib.h>
#include <string.h>

static csp_wg all;

static void work(void *arg)
{
    (void)arg;
    for (int i = 0; i < 100; i++) {
        char *block = malloc(48);
        memset(block, i, 48);
        free(block);
        csp_yield();
    }
    csp_wg_done(&all);
}

int main(void)
{
    csp_wg_add(&all, 8);
    for (int i = 0; i < 8; i++)
        csp_go(work, NULL);
    csp_wg_wait(&all);
    return 0;
}
