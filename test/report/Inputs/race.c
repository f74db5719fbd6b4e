// race.c - one race and nothing else: what the tests of report options run.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <csp/csp.h>

int shared_value;
static csp_wg all;

static void touch(void *arg)
{
    (void)arg;
    shared_value = 1; // line: touch
    csp_wg_done(&all);
}

int main(void)
{
    csp_wg_add(&all, 2);
    csp_go(touch, NULL);
    csp_go(touch, NULL);
    csp_wg_wait(&all);
    return 3;
}
