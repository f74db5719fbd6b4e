// spinning.c - who spins starves nobody, under any strategy; who spins alone sees time pass.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %cspcc -fsanitize=cspthread -g -O1 %s -o %t
// RUN: %python %S/Inputs/seeds.py --seeds=4 --seen=done --only --options=schedule=random %t
// RUN: %python %S/Inputs/seeds.py --seeds=4 --seen=done --only --options=schedule=pct %t
// RUN: %python %S/Inputs/seeds.py --seeds=4 --seen=done --only --options=schedule=pos %t
// RUN: %python %S/Inputs/seeds.py --seeds=4 --seen=done --only --options=schedule=urw %t
// RUN: %python %S/Inputs/seeds.py --seeds=4 --seen=done --only --options=schedule=rr %t
// RUN: %python %S/Inputs/seeds.py --seeds=2 --seen=done --only --options=schedule=pct:schedule_points=all %t
#include <csp/csp.h>

#include <stdatomic.h>
#include <stdio.h>

static atomic_int flags[6];
static atomic_flag lock = ATOMIC_FLAG_INIT;
static csp_mutex m;
static csp_wg wg;

static void spin_on_load(void *next)
{
    while (!atomic_load(&flags[0]))
        ;
    atomic_store((atomic_int *)next, 1);
    csp_wg_done(&wg);
}

static void spin_on_two(void *next)
{
    while (!atomic_load(&flags[1]) || !atomic_load(&flags[0]))
        ;
    atomic_store((atomic_int *)next, 1);
    csp_wg_done(&wg);
}

static void spin_on_exchange(void *next)
{
    while (!atomic_load(&flags[2]))
        csp_yield();
    while (atomic_flag_test_and_set(&lock))
        ;
    atomic_store((atomic_int *)next, 1);
    csp_wg_done(&wg);
}

static void spin_on_trylock(void *next)
{
    while (!csp_mutex_trylock(&m))
        ;
    csp_mutex_unlock(&m);
    atomic_store((atomic_int *)next, 1);
    csp_wg_done(&wg);
}

static void spin_on_clock(void *next)
{
    int64_t until = csp_now() + CSP_MS;
    while (csp_now() < until)
        ;
    atomic_store((atomic_int *)next, 1);
    csp_wg_done(&wg);
}

int main(void)
{
    atomic_flag_test_and_set(&lock);
    csp_mutex_lock(&m);
    csp_wg_add(&wg, 6);
    csp_go(spin_on_exchange, &flags[3]);
    csp_go(spin_on_two, &flags[2]);
    csp_go(spin_on_load, &flags[1]);
    csp_go(spin_on_trylock, &flags[4]);
    csp_go(spin_on_clock, &flags[5]);
    csp_go(spin_on_clock, &flags[5]);
    csp_yield();
    atomic_store(&flags[0], 1);
    while (!atomic_load(&flags[2]))
        ;
    atomic_flag_clear(&lock);
    csp_mutex_unlock(&m);
    csp_wg_wait(&wg);
    csp_chan *later = csp_after(CSP_MS);
    while (!csp_try_recv(later, NULL)) // alone
        csp_yield();
    puts("done");
}
