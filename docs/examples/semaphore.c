// semaphore.c - a budget shared by tasks of different weight.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ten units of memory, say. Requests are served in order, so the big one is not starved by small ones that would fit. One that
// can wait only so long uses the form with an instant.
#include <csp/csp.h>

#include <stdio.h>

static csp_sem budget;
static csp_wg tasks;

static void run(void *weight)
{
    const int *units = weight;
    csp_sem_acquire(&budget, *units);
    csp_sleep(CSP_MS); // uses them
    csp_sem_release(&budget, *units);
    csp_wg_done(&tasks);
}

int main(void)
{
    static const int weights[] = {3, 8, 1, 10, 2, 2};
    csp_sem_init(&budget, 10);
    csp_wg_add(&tasks, 6);
    for (int i = 0; i < 6; i++)
        csp_go(run, (void *)&weights[i]);
    csp_wg_wait(&tasks);

    csp_sem_acquire(&budget, 10); // all of it is back
    bool got = csp_sem_acquire_until(&budget, 1, csp_now() + CSP_MS);
    printf("%s\n", got ? "one more?" : "all ten taken, none left");
    csp_sem_release(&budget, 10);
    return 0;
}
