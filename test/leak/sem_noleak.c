// sem_noleak.c - a permit that does.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include <csp/csp.h>

static csp_sem permits;

static void waiter(void *arg)
{
    (void)arg;
    csp_sem_acquire(&permits, 1); // line: park
}

int main(void)
{
    csp_sem_init(&permits, 0);
    csp_go(waiter, NULL); // line: go
    csp_sem_release(&permits, 1);
    return 0;
}
