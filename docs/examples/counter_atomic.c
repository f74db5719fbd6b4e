// counter_atomic.c - the counter of counter_race.c, put right with an atomic.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// atomic_fetch_add cannot be interrupted half way. csp_wg_wait gives main the right to read what all have written.
#include <csp/csp.h>

#include <stdatomic.h>
#include <stdio.h>

enum { COROUTINES = 1000 };

static atomic_int counter;
static csp_wg all;

static void increment(void *arg)
{
    (void)arg;
    atomic_fetch_add(&counter, 1);
    csp_wg_done(&all);
}

int main(void)
{
    csp_wg_add(&all, COROUTINES);
    for (int i = 0; i < COROUTINES; i++)
        csp_go(increment, NULL);
    csp_wg_wait(&all);
    printf("counter %d\n", atomic_load(&counter));
    return 0;
}
