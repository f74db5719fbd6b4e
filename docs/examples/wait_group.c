// wait_group.c - waiting for a known number of coroutines to finish.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each worker writes a place of its own in `squares`, so no lock is needed; csp_wg_wait returns when all are done, and
// what they wrote may be read then.
#include <csp/csp.h>

#include <stdio.h>

enum { WORKERS = 5 };

static csp_wg workers;
static int squares[WORKERS];

static void work(void *arg)
{
    int *square = arg;
    int id = (int)(square - squares);
    csp_sleep(CSP_MS);
    *square = id * id;
    csp_wg_done(&workers);
}

int main(void)
{
    for (int i = 0; i < WORKERS; i++) {
        csp_wg_add(&workers, 1);
        csp_go(work, &squares[i]);
    }
    csp_wg_wait(&workers);
    for (int i = 0; i < WORKERS; i++)
        printf("worker %d: %d\n", i, squares[i]);
    return 0;
}
