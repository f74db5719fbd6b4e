// access_count.c - counters of the slow path, and its entries on threads where nothing is checked.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "shadow/access.h"

#include "shadow/depot.h"
#include "sync/sem.h"

static uint64_t n_slow, n_unchecked; // atomic
__thread uint32_t cspr_n_slow_here __attribute__((tls_model("initial-exec")));

CSPR_NOINLINE void cspr_count_slow_step(void)
{
    __atomic_fetch_add(&n_slow, CSPR_COUNT_STEP, __ATOMIC_RELAXED); // relaxed: a counter
    cspr_n_slow_here = 0;
}

// Rule G1: a signal handler that interrupted the detector on this thread may find a word it has taken itself, so what it does is not
// checked. Asynchronous handlers are deferred and do not come here.
CSPR_NOINLINE static void count_unchecked(void)
{
    uint64_t before = __atomic_fetch_add(&n_unchecked, 1, __ATOMIC_RELAXED); // relaxed: a counter
    if (!before && cspr_flags.verbosity > 0)
        cspr_note("accesses of a signal handler that interrupted the detector are not checked");
}

void cspr_stats_get(cspr_stats *out)
{
    *out = (cspr_stats){
        .slow_entries = __atomic_load_n(&n_slow, __ATOMIC_RELAXED), // relaxed: counters
        .unchecked = __atomic_load_n(&n_unchecked, __ATOMIC_RELAXED),
        .epochs = cspr_epoch_issued(),
        .stacks = cspr_depot_stacks(),
        .nodes = cspr_depot_nodes(),
        .records = cspr_side_count(),
        .merged_units = cspr_sem_merged(),
    };
}

CSPR_NOINLINE cspr_task *cspr_enter_unknown(void)
{
    if (!cspr_self.in_rtl && !cspr_self.ignore)
        return cspr_task_current();
    if (!cspr_self.ignore)
        count_unchecked();
    return NULL;
}
