// if_not_while.c - who was woken takes the item without looking again.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Bug: a third comes between the signal and the woken one's return, and takes it first.
// Order: A waits; the item is put and A is signalled; B takes it; A goes on.
// Depth: 2. Shows as: crash.
// Source: waiting with if instead of while; Lampson and Redell, Experience with Processes and Monitors in Mesa, 1980.
#include <csp/csp.h>

#include <assert.h>

static csp_mutex lock;
static csp_cond filled;
static int items;
static csp_wg all;

static void take(void *arg)
{
    (void)arg;
    csp_mutex_lock(&lock);
#ifdef FIXED
    while (items == 0)
#else
    if (items == 0)
#endif
        csp_cond_wait(&filled, &lock);
    items--;
    assert(items >= 0);
    csp_mutex_unlock(&lock);
    csp_wg_done(&all);
}

static void put(void *arg)
{
    (void)arg;
    for (int i = 0; i < 2; i++) {
        csp_mutex_lock(&lock);
        items++;
        csp_cond_signal(&filled);
        csp_mutex_unlock(&lock);
    }
    csp_wg_done(&all);
}

int main(void)
{
    csp_wg_add(&all, 3);
    csp_go(take, NULL);
    csp_go(take, NULL);
    csp_go(put, NULL);
    csp_wg_wait(&all);
    return 0;
}
