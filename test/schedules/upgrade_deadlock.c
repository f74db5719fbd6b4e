// upgrade_deadlock.c - two readers that both find the cache stale wait for the other's permit to write.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Bug: reading takes one of two permits, writing both: a reader that becomes a writer keeps its own while it waits.
// Order: both read, both find it stale.
// Depth: 2. Shows as: asleep.
// Source: lock upgrade; double locking in Tu et al., ASPLOS 2019, section 5.1.1.
#include <csp/csp.h>

enum { READERS = 2 };

static csp_sem permits;
static bool stale = true;
static csp_wg all;

static void use_cache(void *arg)
{
    (void)arg;
    csp_sem_acquire(&permits, 1);
    bool refresh = stale;
#ifdef FIXED
    csp_sem_release(&permits, 1);
    if (refresh) {
        csp_sem_acquire(&permits, READERS);
        stale = false; // perhaps a second time
        csp_sem_release(&permits, READERS);
    }
#else
    if (refresh) {
        csp_sem_acquire(&permits, READERS - 1);
        stale = false;
        csp_sem_release(&permits, READERS - 1);
    }
    csp_sem_release(&permits, 1);
#endif
    csp_wg_done(&all);
}

int main(void)
{
    csp_sem_init(&permits, READERS);
    csp_wg_add(&all, READERS);
    for (int i = 0; i < READERS; i++)
        csp_go(use_cache, NULL);
    csp_wg_wait(&all);
    return 0;
}
