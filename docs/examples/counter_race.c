// counter_race.c - RACE: a thousand coroutines increment one int.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// counter++ is a read, an addition and a write; another coroutine's increment can come between them and is then lost.
// Fixed with an atomic in counter_atomic.c and with a mutex in counter_mutex.c.
#include <csp/csp.h>

#include <stdio.h>

enum { COROUTINES = 1000 };

static int counter;
static csp_wg all;

static void increment(void *arg)
{
    (void)arg;
    counter++;
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
