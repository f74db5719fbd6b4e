// epoch.h - epoch ids: a 30-bit name for (logical id, clock value, incarnation) that fits a cell.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
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
uint32_t cspr_epoch_new_run(uint32_t id, uint64_t base, cspr_who who);
uint64_t cspr_epoch_issued(void); // for stats: ids in runs handed out

static inline const cspr_run *cspr_epoch_run(uint32_t epoch)
{
    return &cspr_runs[epoch / CSPR_RUN_EPOCHS];
}
static inline uint64_t cspr_epoch_clock(uint32_t epoch)
{
    return cspr_epoch_run(epoch)->base + epoch % CSPR_RUN_EPOCHS;
}

#endif
