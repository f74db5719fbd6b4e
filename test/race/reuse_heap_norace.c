// reuse_heap_norace.c - heap memory handed from one coroutine to another by malloc and free alone, with an order between their users, never makes a report.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

#include <stdlib.h>

static csp_mutex lock;
static csp_wg all;

static void work(void *arg)
{
    (void)arg;
    for (int i = 0; i < 100; i++) {
        csp_mutex_lock(&lock);
        int *block = malloc(64);
        block[0] = i;
        free(block);
        csp_mutex_unlock(&lock);
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
