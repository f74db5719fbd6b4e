// lost_update.c - two coroutines count without a lock, and one addition is lost.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Bug: after a failed compare-and-swap the new value is not computed again, so the retry writes an old one over the
// other's.
// Order: A loads, B adds, A's exchange fails and its retry stores what it had computed.
// Depth: 2. Shows as: crash.
// Source: the retry loop of lock-free counters; atomicity violation in Lu et al., ASPLOS 2008.
#include <csp/csp.h>

#include <assert.h>
#include <stdatomic.h>

static atomic_int counter;
static csp_wg both;

static void add_one(void *arg)
{
    (void)arg;
    int seen = atomic_load(&counter);
    int next = seen + 1;
    while (!atomic_compare_exchange_strong(&counter, &seen, next)) {
#ifdef FIXED
        next = seen + 1;
#endif
    }
    csp_wg_done(&both);
}

int main(void)
{
    csp_wg_add(&both, 2);
    csp_go(add_one, NULL);
    csp_go(add_one, NULL);
    csp_wg_wait(&both);
    assert(atomic_load(&counter) == 2);
    return 0;
}
