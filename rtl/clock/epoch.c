// epoch.c - hands out runs of epoch ids.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Ordering: a run's entry is written before the first cell naming it is release-stored into a shadow word; whoever reads the
//           cell took the word with acquire (shadow.h E1), so the table itself needs no order.
#include "clock/epoch.h"

#include "support/alloc.h"

// By run. Read by reports only, which copy what they read: an entry that is being written says 0, not known.
typedef struct history {
    uint32_t before;                 // first id of its task's previous run
    cspr_stack end[CSPR_RUN_EPOCHS]; // atomic
} history;

cspr_run *cspr_runs;
static history *histories;
uint32_t cspr_epoch_limit = 1u << CSPR_EPOCH_BITS;

static uint32_t next_epoch = CSPR_EPOCH_FIRST; // atomic

void cspr_epoch_init(void)
{
    if (cspr_flags.max_epochs > 0 && cspr_flags.max_epochs < 1 << CSPR_EPOCH_BITS)
        cspr_epoch_limit = CSPR_EPOCH_FIRST + (uint32_t)cspr_flags.max_epochs;
    if (!cspr_runs)
        cspr_runs = cspr_reserve(sizeof(cspr_run) << (CSPR_EPOCH_BITS - 4));
    if (!histories)
        histories = cspr_reserve(sizeof(history) << (CSPR_EPOCH_BITS - 4));
}

uint32_t cspr_epoch_new_run(uint32_t id, uint64_t base, cspr_who who, uint32_t before)
{
    // Read first: at the limit the counter must not run on and wrap. Relaxed: only the ids' distinctness matters.
    if (__atomic_load_n(&next_epoch, __ATOMIC_RELAXED) >= cspr_epoch_limit)
        return 0;
    uint32_t first = __atomic_fetch_add(&next_epoch, CSPR_RUN_EPOCHS, __ATOMIC_RELAXED);
    if (first >= cspr_epoch_limit) {
        __atomic_fetch_sub(&next_epoch, CSPR_RUN_EPOCHS, __ATOMIC_RELAXED);
        return 0;
    }
    if (first + CSPR_RUN_EPOCHS >= cspr_epoch_limit)
        cspr_note("epoch ids are used up: new accesses are recorded aside from now on, exact but slower");
    cspr_runs[first / CSPR_RUN_EPOCHS] = (cspr_run){.base = base, .id = id, .who = who};
    histories[first / CSPR_RUN_EPOCHS].before = before;
    return first;
}

void cspr_epoch_note_end(uint32_t epoch, cspr_stack release)
{
    // relaxed: the release that follows carries it to whoever learns of this epoch
    __atomic_store_n(&histories[epoch / CSPR_RUN_EPOCHS].end[epoch % CSPR_RUN_EPOCHS], release, __ATOMIC_RELAXED);
}

bool cspr_epoch_find_end(uint32_t epoch, uint64_t at, cspr_stack *release)
{
    uint32_t run = epoch / CSPR_RUN_EPOCHS * CSPR_RUN_EPOCHS;
    *release = 0;
    while (run && cspr_runs[run / CSPR_RUN_EPOCHS].base > at)
        run = histories[run / CSPR_RUN_EPOCHS].before;
    if (!run)
        return false;
    uint64_t place = at - cspr_runs[run / CSPR_RUN_EPOCHS].base;
    if (place < CSPR_RUN_EPOCHS) // relaxed: as above
        *release = __atomic_load_n(&histories[run / CSPR_RUN_EPOCHS].end[place], __ATOMIC_RELAXED);
    return true;
}

uint64_t cspr_epoch_issued(void)
{
    return __atomic_load_n(&next_epoch, __ATOMIC_RELAXED) - CSPR_EPOCH_FIRST; // relaxed: a counter
}
