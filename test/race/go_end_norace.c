// go_end_norace.c - a coroutine that is waited for with a wait group has ended as far as its writes go.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

int value;
static csp_wg all;

static void writer(void *arg)
{
    (void)arg;
    value = 1; // line: write
    csp_wg_done(&all);
}

int main(void)
{
    csp_wg_add(&all, 1);
    csp_go(writer, NULL);
    csp_wg_wait(&all);
    while (csp_count() > 1)
        invisible_pause();
    invisible_use(value); // line: read
    return 0;
}
