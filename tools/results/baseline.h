// baseline.h - findings that are known: a file of fingerprints, so that a run fails only by new ones.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_TOOLS_BASELINE_H
#define CSP_TOOLS_BASELINE_H

#include <stdbool.h>
#include <stddef.h>

#include "results/results.h"

typedef struct cspt_baseline {
    char **fingerprints; // sorted
    size_t count;
} cspt_baseline;

// False, with *error malloc'ed, when the file cannot be read or is no baseline.
bool cspt_baseline_read(cspt_baseline *b, const char *path, char **error);
bool cspt_baseline_has(const cspt_baseline *b, const char *fingerprint);
void cspt_baseline_fini(cspt_baseline *b);

// Marks what is known in one test, in any test.
void cspt_baseline_mark(const cspt_baseline *b, cspt_test *t);

// How many of the known ones no test showed: perhaps fixed, perhaps not met by these schedules.
size_t cspt_baseline_unseen(const cspt_baseline *b, const cspt_results *r);

// Writes all findings of the results, those that are known included, sorted by fingerprint: a line each, fit for review.
bool cspt_baseline_write(const cspt_results *r, const char *path, char **error);

#endif
