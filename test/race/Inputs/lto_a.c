// lto_a.c - one half of a program that link-time optimisation joins.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <csp/csp.h>

void touch(void);
static csp_wg all;

static void work(void *arg)
{
    (void)arg;
    touch();
    csp_wg_done(&all);
}

int main(void)
{
    csp_wg_add(&all, 2);
    csp_go(work, NULL);
    csp_go(work, NULL);
    csp_wg_wait(&all);
    return 0;
}
