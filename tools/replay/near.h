// near.h - schedules that begin as a recorded one does, up to where its finding begins.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_TOOLS_NEAR_H
#define CSP_TOOLS_NEAR_H

#include "replay/replay.h"
#include "replay/schedule_read.h"

typedef struct cspt_near {
    const char *file;
    cspt_schedule *schedule; // read from it
    const cspt_target *target;
    cspt_seeded seeded;
    uint64_t count;
    unsigned jobs;
    double timeout_s;
    const char *scratch;
    int interrupted; // a signal that we were sent
} cspt_near;

// Explores, and tells what was found. The exit status.
int cspt_explore_near(cspt_near *n);

#endif
