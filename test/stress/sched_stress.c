// sched_stress.c - the scheduler: bursts between idle spells, where a lost wake-up would hang; runq.c E1 to E4, W1 to I3.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "stress.h"

#include <pthread.h>

// --- bursts: more than a ring holds, stolen, spilled; each runs once ---------------------------------------------------------

static int ran; // atomic

static void leaf(void *arg)
{
    (void)arg;
    __atomic_add_fetch(&ran, 1, __ATOMIC_RELEASE);
}

static void spawn_leaves(void *n)
{
    for (size_t i = 0; i < (size_t)n; i++)
        csp_go(leaf, NULL);
}

static void burst(unsigned i)
{
    int expected = 0;
    __atomic_store_n(&ran, 0, __ATOMIC_RELAXED);
    for (unsigned k = 0; k < 6; k++) {
        size_t n = (i + k) % 3 ? 40 : 700;
        csp_go(spawn_leaves, (void *)n);
        expected += (int)n;
    }
    while (__atomic_load_n(&ran, __ATOMIC_ACQUIRE) < expected)
        csp_yield();
    CHECK(__atomic_load_n(&ran, __ATOMIC_ACQUIRE) == expected);
}

// --- one value at a time through coroutines, threads and timers that all go idle in between ----------------------------------

enum { STATIONS = 8, LAPS = 30 };

static csp_chan *ring[STATIONS];
static csp_wg passers;

static void *pass_on(void *station)
{
    size_t me = (size_t)station;
    int v;
    while (csp_recv(ring[me], &v)) {
        if (me == 3)
            csp_sleep(20 * CSP_US); // all others are idle meanwhile
        v++;
        csp_send(ring[(me + 1) % STATIONS], &v);
    }
    return NULL;
}

static void pass_on_co(void *station)
{
    pass_on(station);
    csp_wg_done(&passers);
}

static void idle_ring(unsigned i)
{
    for (int k = 0; k < STATIONS; k++)
        ring[k] = csp_chan_new(sizeof(int), i % 2);
    pthread_t threads[2];
    for (size_t k = 1; k < STATIONS; k++)
        if (k % 4 == 2)
            CHECK(pthread_create(&threads[k / 4], NULL, pass_on, (void *)k) == 0);
        else
            csp_wg_add(&passers, 1), csp_go(pass_on_co, (void *)k);
    int v = 0;
    for (int lap = 0; lap < LAPS; lap++) {
        csp_send(ring[1], &v);
        CHECK(csp_recv(ring[0], &v));
        CHECK(v == (lap + 1) * (STATIONS - 1));
    }
    for (int k = 1; k < STATIONS; k++)
        csp_close(ring[k]);
    for (int k = 0; k < 2; k++)
        pthread_join(threads[k], NULL);
    csp_wg_wait(&passers);
    for (int k = 0; k < STATIONS; k++)
        csp_chan_free(ring[k]);
}

// --- stacks are used again at once: each coroutine finds its own locals as it left them --------------------------------------

static void recurse(int depth, unsigned seed)
{
    volatile unsigned mine[16];
    for (int i = 0; i < 16; i++)
        mine[i] = seed + (unsigned)i;
    if (depth > 0)
        recurse(depth - 1, seed * 3);
    else
        csp_yield();
    for (int i = 0; i < 16; i++)
        CHECK(mine[i] == seed + (unsigned)i);
    if (depth == 5 && seed % 2)
        csp_exit();
}

static void use_stack(void *seed)
{
    recurse(8 + (int)((size_t)seed % 20), (unsigned)(size_t)seed);
}

static void stacks(unsigned i)
{
    for (unsigned k = 0; k < 300; k++)
        csp_go(use_stack, (void *)(size_t)(i * 300 + k));
    while (csp_count() > 1)
        csp_yield();
}

static void round_(unsigned i)
{
    static void (*const parts[])(unsigned) = {burst, idle_ring, stacks};
    parts[i % 3](i);
}

int main(void)
{
    repeat(round_);
}
