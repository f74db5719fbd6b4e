// output.h - the formats in which other programs read what an exploration found. All of them are made of results.h alone.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every finding is in every format: what fails the run fails a test case in JUnit, is an error in SARIF, an event in JSON lines
// and an annotation or a line of the step summary on GitHub. What the baseline knows, and what is mild, is there as such.
#ifndef CSP_TOOLS_OUTPUT_H
#define CSP_TOOLS_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

#include "results/results.h"

typedef struct cspt_output_context {
    const char *source_root; // an absolute path: files in it are told relative to it
    const char *baseline;    // the file that `known` comes from; NULL: there is none
    int status;              // what csp will end with
} cspt_output_context;

// Each false, with *error malloc'ed, when the file cannot be written. path "-": standard output.
bool cspt_output_junit(const cspt_results *r, const char *path, char **error);
bool cspt_output_sarif(const cspt_results *r, const cspt_output_context *context, const char *path, char **error);

// JSON lines, one event each, flushed: begin, then per test its findings and the test, then the end (docs/schedules.md).
// False: it could not be written.
bool cspt_output_json_begin(const cspt_results *r, FILE *out);
bool cspt_output_json_test(const cspt_test *t, FILE *out);
bool cspt_output_json_end(const cspt_results *r, const cspt_output_context *context, FILE *out);

// At most ten annotations as workflow commands, the gravest first, and one line that tells of the rest.
bool cspt_output_annotations(const cspt_results *r, const cspt_output_context *context, FILE *out);
// All findings as Markdown, added to the file (GITHUB_STEP_SUMMARY), within what GitHub takes.
bool cspt_output_step_summary(const cspt_results *r, const char *path, char **error);

// --- what several of them say, each to be freed ---------------------------------------------------------------------------

// "in 3 of 200 schedules, first with seed 42 (pct)".
char *cspt_output_frequency(const cspt_test *t, const cspt_finding *f);
// Whether a finding makes the run fail.
static inline bool cspt_output_fails(const cspt_finding *f)
{
    return !f->known && !f->mild;
}

#endif
