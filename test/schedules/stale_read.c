// stale_read.c - a balance is read under the lock, changed outside, and written back under the lock.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Bug: what was read is old when it is written: every access is locked, and one deposit is lost.
// Order: A reads, B deposits, A writes.
// Depth: 2. Shows as: crash.
// Source: atomicity violation across critical sections, Lu et al., ASPLOS 2008; SCTBench account_bad, stack_bad.
#include <csp/csp.h>

#include <assert.h>

static csp_mutex lock;
static int balance;
static csp_wg both;

static void deposit(void *arg)
{
    (void)arg;
    csp_mutex_lock(&lock);
    int new_balance = balance + 5;
#ifndef FIXED
    csp_mutex_unlock(&lock);
    csp_mutex_lock(&lock);
#endif
    balance = new_balance;
    csp_mutex_unlock(&lock);
    csp_wg_done(&both);
}

int main(void)
{
    csp_wg_add(&both, 2);
    csp_go(deposit, NULL);
    csp_go(deposit, NULL);
    csp_wg_wait(&both);
    assert(balance == 10);
    return 0;
}
