// finding_line.h - reads what a run wrote to its finding_log: rtl/report/finding_log.h tells the form.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_TOOLS_FINDING_LINE_H
#define CSP_TOOLS_FINDING_LINE_H

#include "results/results.h"

// The last line of a controlled run.
typedef struct cspt_run_record {
    bool present;
    char *strategy;
    unsigned depth; // PCT's; 0: unknown
    uint64_t seed, points, decisions, tasks;
    bool has_interleaving;
    uint64_t interleaving;
    bool replayable;
    char *why_not;
    uint64_t diverged_at; // a followed schedule: the step that was not as recorded; 0: none
} cspt_run_record;

typedef struct cspt_run_log {
    cspt_finding *findings; // with fingerprints; each once, `times` counts
    size_t n_findings;
    cspt_run_record run;
    size_t malformed; // lines that are none of these; nothing of them is used
} cspt_run_log;

// Any bytes may come: the program could have written there.
void cspt_run_log_add(cspt_run_log *log, const char *bytes, size_t size);
// Takes f over, which has a fingerprint.
void cspt_run_log_take(cspt_run_log *log, cspt_finding *f);
void cspt_run_log_read(cspt_run_log *log, const char *path); // a file; none: nothing
void cspt_run_log_fini(cspt_run_log *log);

#endif
