// counter_mutex.c - the counter of counter_race.c, put right with a mutex.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Between csp_mutex_lock and csp_mutex_unlock a coroutine has the counter to itself. A csp_mutex is ready for use when it
// is zero, so a static one needs no initialisation.
#include <csp/csp.h>

#include <stdio.h>

enum { COROUTINES = 1000 };

static int counter;
static csp_mutex lock; // guards counter
static csp_wg all;

static void increment(void *arg)
{
    (void)arg;
    csp_mutex_lock(&lock);
    counter++;
    csp_mutex_unlock(&lock);
    csp_wg_done(&all);
}

int main(void)
{
    csp_wg_add(&all, COROUTINES);
    for (int i = 0; i < COROUTINES; i++)
        csp_go(increment, NULL);
    csp_wg_wait(&all);
    printf("counter %d\n", counter);
    return 0;
}
