// double_release.c - a buffered channel serves as semaphore; a job is finished by its worker and by whoever cancels it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Bug: each asks whether the permit was released already, then releases it: a permit too many.
// Order: both find it unreleased.
// Depth: 2. Shows as: crash.
// Source: semaphore by channel released twice; atomicity violation, Lu et al., ASPLOS 2008.
#include <csp/csp.h>

#include <assert.h>
#include <stdatomic.h>

static csp_chan *permits;
static atomic_bool released;
static csp_wg both;

static void finish(void *arg)
{
    (void)arg;
#ifdef FIXED
    if (!atomic_exchange(&released, true)) {
#else
    if (!atomic_load(&released)) {
        atomic_store(&released, true);
#endif
        int had_permit = csp_try_recv(permits, NULL);
        assert(had_permit == 1);
    }
    csp_wg_done(&both);
}

int main(void)
{
    permits = csp_chan_new(0, 1);
    csp_send(permits, NULL);
    csp_wg_add(&both, 2);
    csp_go(finish, NULL); // the worker
    csp_go(finish, NULL); // who cancels it
    csp_wg_wait(&both);
    return 0;
}
