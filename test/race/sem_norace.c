// sem_norace.c - a release happens before the acquire that takes its unit.
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
    csp_sem_init(&units, 0);
    csp_go(writer, NULL);
    csp_sem_acquire(&units, 1);
    invisible_wait(1);
    invisible_use(value); // line: read
    return 0;
}
