// explore.h - explores one test under many schedules, several at once.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_TOOLS_EXPLORE_H
#define CSP_TOOLS_EXPLORE_H

#include <stdint.h>

#include "common/target.h"
#include "explore/progress.h"
#include "results/results.h"

typedef struct cspt_exploration {
    // --- what is wanted
    uint64_t first, count; // iterations of the seed space
    double time_s;         // ... or until so much time has passed; 0: no limit
    uint64_t seed;         // of the whole
    const char *strategy;  // also of portfolio's parts
    unsigned depth;        // 0: the detector's default
    const char *points;    // NULL: the detector's default
    unsigned jobs;
    double timeout_s; // of one run
    bool check_determinism;
    bool verbose;
    const char *schedules_folder;
    const char *scratch; // a folder for what runs write
    const char *follow;  // a schedule file with whose first so many decisions each run begins; NULL: none
    uint64_t follow_decisions;
    cspt_progress *progress;
    // --- what happened besides the results
    int interrupted; // a signal that we were sent
} cspt_exploration;

// Fills in t, whose name and command are set. False: the command cannot be started, t->note says why.
bool cspt_explore(cspt_exploration *x, const cspt_target *target, cspt_test *t);

#endif
