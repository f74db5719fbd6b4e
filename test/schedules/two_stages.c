// two_stages.c - a value and what is derived from it are set under two locks.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Bug: a reader sees the value before what is derived from it.
// Order: the writer has set the first and not the second; the reader reads both.
// Depth: 2. Shows as: crash.
// Source: two-stage access: von Praun and Gross, 2003; Artho et al., High-level data races, 2003; SCTBench twostage.
#include <csp/csp.h>

#include <assert.h>

static csp_mutex first_lock, second_lock;
static int value, doubled;
static csp_wg both;

static void set(void *arg)
{
    (void)arg;
    csp_mutex_lock(&first_lock);
    value = 21;
#ifndef FIXED
    csp_mutex_unlock(&first_lock);
#endif
    csp_mutex_lock(&second_lock);
    doubled = 42;
    csp_mutex_unlock(&second_lock);
#ifdef FIXED
    csp_mutex_unlock(&first_lock);
#endif
    csp_wg_done(&both);
}

static void check(void *arg)
{
    (void)arg;
    csp_mutex_lock(&first_lock);
    int v = value;
    csp_mutex_unlock(&first_lock);
    if (v != 0) {
        csp_mutex_lock(&second_lock);
        int d = doubled;
        csp_mutex_unlock(&second_lock);
        assert(d == 2 * v);
    }
    csp_wg_done(&both);
}

int main(void)
{
    csp_wg_add(&both, 2);
    csp_go(set, NULL);
    csp_go(check, NULL);
    csp_wg_wait(&both);
    return 0;
}
