// barrier_reuse.c - a barrier is used for the next round before everybody has left the last one.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Bug: who is slow to leave finds the count of the next round, and takes it for its own.
// Order: A, last to come, opens the barrier and comes again before B has looked.
// Depth: 2. Shows as: asleep.
// Source: sense-reversing barriers, Mellor-Crummey and Scott, 1991: the reason for the sense; SCTBench phase01.
#include <csp/csp.h>

enum { PARTIES = 2 };

static csp_mutex lock;
static csp_cond opened;
static int arrived, round_number;
static csp_wg all;

static void wait_for_all(void)
{
    csp_mutex_lock(&lock);
    int my_round = round_number;
    if (++arrived == PARTIES) {
        arrived = 0;
        round_number++;
        csp_cond_broadcast(&opened);
    }
#ifdef FIXED
    while (round_number == my_round)
        csp_cond_wait(&opened, &lock);
#else
    (void)my_round;
    while (arrived != 0)
        csp_cond_wait(&opened, &lock);
#endif
    csp_mutex_unlock(&lock);
}

static void work(void *arg)
{
    (void)arg;
    for (int i = 0; i < 2; i++) {
        wait_for_all();
        csp_sleep(CSP_MS);
    }
    csp_wg_done(&all);
}

int main(void)
{
    csp_wg_add(&all, PARTIES);
    for (int i = 0; i < PARTIES; i++)
        csp_go(work, NULL);
    csp_wg_wait(&all);
    return 0;
}
