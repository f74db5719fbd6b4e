// sem_initial_norace.c - an acquire that needs more than the initial units is ordered after the release.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

int value;
static csp_sem units;

static void writer(void *arg)
{
    (void)arg;
    value = 1; // line: write
    csp_sem_release(&units, 1);
    invisible_step();
}

int main(void)
{
    csp_sem_init(&units, 1);
    csp_go(writer, NULL);
    invisible_wait(1);
    csp_sem_acquire(&units, 2);
    invisible_use(value); // line: read
    return 0;
}
