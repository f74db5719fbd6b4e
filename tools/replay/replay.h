// replay.h - what csp replay and csp minimize have in common: the program, its options, and looking for the same finding.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_TOOLS_REPLAY_H
#define CSP_TOOLS_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/target.h"

// A seed's schedule, as csp test explores it: pct and urw also depend on what a trial run counted.
typedef struct cspt_seeded {
    const char *strategy;
    uint64_t seed;
    unsigned depth;     // 0: the detector's default
    const char *points; // NULL: the detector's default
} cspt_seeded;

// Fills in *t for a program and its arguments. False, having said why, when it cannot be run under a schedule.
bool cspt_replay_target(const char *verb, cspt_target *t, char *const *words, size_t n);

// The options of that run, malloc'ed, after the trial run that it takes. NULL, with *error set, when that could not be made;
// EINTR: interrupted. Caller called cspt_child_prepare.
char *cspt_replay_seed_options(const cspt_seeded *s, const cspt_target *t, const char *scratch, int *error);

// Becomes gdb, with the program and these options set up to stop at the finding. Returns when gdb cannot be started.
void cspt_replay_gdb(const cspt_target *t, const char *options);

#endif
