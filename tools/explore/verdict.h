// verdict.h - how a run ended, when that is a finding of its own.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_TOOLS_VERDICT_H
#define CSP_TOOLS_VERDICT_H

#include "common/target.h"
#include "results/results.h"

enum { CSPT_REPORT_STATUS = 66 }; // the default of the detector's option exitcode

typedef struct cspt_end {
    int wait_status; // as of waitpid
    bool timed_out;  // it was killed after timeout_s seconds
    double timeout_s;
    bool has_findings;  // the detector reported something that is not mild
    const char *output; // what it wrote; NULL: nothing
    bool is_all;        // output is both streams; else what a test must write is not judged
} cspt_end;

// True: *out is a new finding, all but its counts. Statuses of reported runs (66, and 2 of panics) are no findings again.
bool cspt_verdict(const cspt_target *t, const cspt_end *end, cspt_finding *out);
// It says of itself that it was skipped.
bool cspt_verdict_skipped(const cspt_target *t, const cspt_end *end);

#endif
