// plain.h - runs a program as it is, several times: its output passes through, each distinct report is shown once.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_TOOLS_PLAIN_H
#define CSP_TOOLS_PLAIN_H

#include "common/target.h"
#include "explore/progress.h"
#include "results/results.h"

typedef struct cspt_plain {
    uint64_t count;
    double time_s;    // 0: no limit
    double timeout_s; // of one run; 0: none
    cspt_progress *progress;
    int interrupted; // a signal that we were sent
} cspt_plain;

// Fills in t, whose name and command are set. Returns 0 or the errno of starting it.
int cspt_run_plain(cspt_plain *p, const cspt_target *target, cspt_test *t);

#endif
