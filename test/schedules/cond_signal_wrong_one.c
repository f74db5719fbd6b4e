// cond_signal_wrong_one.c - producers and consumers share one condition and wake one of whoever waits.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Bug: a consumer's signal wakes the other consumer, not the producer that waits for room.
// Order: both consumers wait; a producer fills the one place; the second producer comes before the woken consumer,
// and waits.
// Depth: 3. Shows as: asleep.
// Source: notify instead of notifyAll; lost signals in CHESS, OSDI 2008; kubernetes#11298 in GoKer.
#include <csp/csp.h>

static csp_mutex lock;
static csp_cond changed;
static int filled;
static csp_wg all;

static void tell(void)
{
#ifdef FIXED
    csp_cond_broadcast(&changed);
#else
    csp_cond_signal(&changed);
#endif
}

static void consume(void *arg)
{
    (void)arg;
    csp_mutex_lock(&lock);
    while (filled == 0)
        csp_cond_wait(&changed, &lock);
    filled--;
    tell();
    csp_mutex_unlock(&lock);
    csp_wg_done(&all);
}

static void produce(void *arg)
{
    (void)arg;
    csp_mutex_lock(&lock);
    while (filled == 1)
        csp_cond_wait(&changed, &lock);
    filled++;
    tell();
    csp_mutex_unlock(&lock);
    csp_wg_done(&all);
}

int main(void)
{
    csp_wg_add(&all, 4);
    csp_go(produce, NULL);
    csp_go(consume, NULL);
    csp_go(produce, NULL);
    csp_go(consume, NULL);
    csp_wg_wait(&all);
    return 0;
}
