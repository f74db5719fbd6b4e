// two_races.c - two different races in one run.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <csp/csp.h>

int first_value, second_value;
static csp_wg all;

__attribute__((noinline)) static void touch_first(void)
{
    first_value = 1;
}

__attribute__((noinline)) static void touch_second(void)
{
    second_value = 1;
}

static void touch(void *arg)
{
    (void)arg;
    touch_first();
    touch_second();
    csp_wg_done(&all);
}

int main(void)
{
    csp_wg_add(&all, 2);
    csp_go(touch, NULL);
    csp_go(touch, NULL);
    csp_wg_wait(&all);
    return 0;
}
