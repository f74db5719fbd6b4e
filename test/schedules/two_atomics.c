// two_atomics.c - money moves between two atomic balances, and their sum is wrong in between.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Bug: each access is atomic, the pair is not.
// Order: the sum is taken between the two halves of the transfer.
// Depth: 2. Shows as: crash.
// Source: multi-variable bugs, Lu et al., ASPLOS 2008; SCTBench account_bad.
#include <csp/csp.h>

#include <assert.h>
#include <stdatomic.h>

static csp_mutex lock;
static atomic_int savings = 10, current;
static csp_wg both;

static void enter(void)
{
#ifdef FIXED
    csp_mutex_lock(&lock);
#else
    (void)lock;
#endif
}

static void leave(void)
{
#ifdef FIXED
    csp_mutex_unlock(&lock);
#endif
}

static void move_money(void *arg)
{
    (void)arg;
    enter();
    atomic_fetch_sub(&savings, 3);
    atomic_fetch_add(&current, 3);
    leave();
    csp_wg_done(&both);
}

static void audit(void *arg)
{
    (void)arg;
    enter();
    int sum = atomic_load(&savings) + atomic_load(&current);
    leave();
    assert(sum == 10);
    csp_wg_done(&both);
}

int main(void)
{
    csp_wg_add(&both, 2);
    csp_go(move_money, NULL);
    csp_go(audit, NULL);
    csp_wg_wait(&both);
    return 0;
}
