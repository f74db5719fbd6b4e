// collect.h - takes what one run showed into the results of its test.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_TOOLS_COLLECT_H
#define CSP_TOOLS_COLLECT_H

#include "common/target.h"
#include "explore/finding_line.h"
#include "results/results.h"

typedef struct cspt_shown_run {
    bool is_trial;
    uint64_t ordinal; // of the schedule, from 1; the trial run's is 0
    uint64_t seed;
    const char *options;  // that make the run again, but for the profile
    const char *profile;  // of the trial run, which it read; NULL: none
    const char *strategy; // as asked for; what the run says of itself goes first
    cspt_run_log log;     // is taken apart
    cspt_finding end;     // a finding made of how it ended
    bool has_end;
    const char *output;        // what it wrote; NULL: nothing
    const char *schedule_file; // where the run's schedule is, if there
} cspt_shown_run;

void cspt_shown_run_fini(cspt_shown_run *run);

typedef struct cspt_collector {
    const cspt_target *target;
    cspt_test *test;
    const char *schedules_folder;
    char *profile;     // where it is kept, once it is needed
    bool told_of_disk; // that a schedule could not be kept
    // A finding that was not there before; called once for each.
    void (*on_new)(void *arg, const cspt_finding *f);
    void *arg;
} cspt_collector;

// Returns how many findings it had, mild ones included.
size_t cspt_collect(cspt_collector *c, cspt_shown_run *run);

// The shell command that shows f again, malloc'ed.
char *cspt_replay_command(const cspt_target *t, const cspt_finding *f);

#endif
