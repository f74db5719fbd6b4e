// sem_unit_norace.c - who takes the second unit, too, is ordered after its release.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

int value;
static csp_sem units;

static void first(void *arg)
{
    (void)arg;
    csp_sem_release(&units, 1);
    invisible_step();
}

static void writer(void *arg)
{
    (void)arg;
    invisible_wait(1);
    value = 1; // line: write
    csp_sem_release(&units, 1);
    invisible_step();
}

int main(void)
{
    csp_go(first, NULL);
    csp_go(writer, NULL);
    invisible_wait(2);
    csp_sem_acquire(&units, 2);
    invisible_use(value); // line: read
    return 0;
}
