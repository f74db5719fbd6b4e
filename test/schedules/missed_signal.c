// missed_signal.c - who waits looks at the condition, lets go of the lock, and then waits.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Bug: between the look and the wait the signal comes and finds nobody.
// Order: A sees that it is not ready, B sets it and signals, A waits.
// Depth: 2. Shows as: asleep.
// Source: order of check and wait; kubernetes#11298 in GoKer (GoBench, CGO 2021), missed notification in Tu et al.,
// ASPLOS 2019.
#include <csp/csp.h>

static csp_mutex lock;
static csp_cond changed;
static bool ready;
static csp_wg both;

static void wait_for_it(void *arg)
{
    (void)arg;
    csp_mutex_lock(&lock);
#ifdef FIXED
    while (!ready)
        csp_cond_wait(&changed, &lock);
#else
    bool was_ready = ready;
    csp_mutex_unlock(&lock);
    csp_mutex_lock(&lock);
    if (!was_ready)
        csp_cond_wait(&changed, &lock);
#endif
    csp_mutex_unlock(&lock);
    csp_wg_done(&both);
}

static void make_ready(void *arg)
{
    (void)arg;
    csp_mutex_lock(&lock);
    ready = true;
    csp_mutex_unlock(&lock);
    csp_cond_signal(&changed);
    csp_wg_done(&both);
}

int main(void)
{
    csp_wg_add(&both, 2);
    csp_go(make_ready, NULL);
    csp_go(wait_for_it, NULL);
    csp_wg_wait(&both);
    return 0;
}
