// epoch.h - epoch ids: a 30-bit name for (logical id, clock value, incarnation) that fits a cell.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A second table keeps, for reports only, how each epoch ended and which run its task had before; it is written once per
// named epoch and read when a race was found.
//
// Ids come in aligned runs of 16; the table has one entry per run, and id e of a run names clock value base + (e mod 16).
// A run belongs to one incarnation for ever, so an old cell says whose access it was even after the logical id was reused.
#ifndef CSP_RTL_EPOCH_H
#define CSP_RTL_EPOCH_H

#include "rtl.h"

enum { CSPR_RUN_EPOCHS = 16 };

typedef struct cspr_run {
    uint64_t base;
    uint32_t id; // logical id
    cspr_who who;
} cspr_run;

extern cspr_run *cspr_runs;
// First epoch id that may not be issued; smaller in tests.
extern uint32_t cspr_epoch_limit;

void cspr_epoch_init(void);
// A fresh run whose first id names (id, base); 0 when the ids are used up (rule A9: such epochs are recorded aside).
// before: the task's previous run, 0: none.
uint32_t cspr_epoch_new_run(uint32_t id, uint64_t base, cspr_who who, uint32_t before);
uint64_t cspr_epoch_issued(void); // for stats: ids in runs handed out

static inline const cspr_run *cspr_epoch_run(uint32_t epoch)
{
    return &cspr_runs[epoch / CSPR_RUN_EPOCHS];
}
static inline uint64_t cspr_epoch_clock(uint32_t epoch)
{
    return cspr_epoch_run(epoch)->base + epoch % CSPR_RUN_EPOCHS;
}

// Notes how the epoch ended: the first release after it (depot.h: cspr_depot_release).
void cspr_epoch_note_end(uint32_t epoch, cspr_stack release);
// How much of a task another one knows, told by the release it came with: `at` is a clock value of the task that owns `epoch`,
// older than that epoch. False: from before the task's first epoch. *release is 0 when it is not known.
bool cspr_epoch_find_end(uint32_t epoch, uint64_t at, cspr_stack *release);
#endif
