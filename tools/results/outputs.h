// outputs.h - the options that say where results go, as csp test and csp merge have them, and the writing of all of them.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// In this order: cspt_outputs_option for each option, cspt_outputs_prepare, cspt_outputs_begin, cspt_outputs_test for each test
// that is done, cspt_outputs_finish.
#ifndef CSP_TOOLS_OUTPUTS_H
#define CSP_TOOLS_OUTPUTS_H

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>

#include "results/baseline.h"
#include "results/ci.h"
#include "results/results.h"

typedef struct cspt_outputs {
    const char *junit, *sarif, *json, *json_results; // files; NULL: not asked for
    const char *baseline, *write_baseline;
    const char *source_root;  // paths are told relative to it
    bool github, no_github;   // asked for, and forbidden, by options
    const char *step_summary; // NULL: none
    cspt_baseline known;
    FILE *events; // the open file of json
} cspt_outputs;

// Of getopt_long; values from CSPT_OUTPUT_FIRST on are theirs.
enum { CSPT_OUTPUT_FIRST = 0x4000 };
enum cspt_output_option {
    CSPT_OUTPUT_JUNIT = CSPT_OUTPUT_FIRST,
    CSPT_OUTPUT_SARIF,
    CSPT_OUTPUT_JSON,
    CSPT_OUTPUT_JSON_RESULTS,
    CSPT_OUTPUT_BASELINE,
    CSPT_OUTPUT_WRITE_BASELINE,
    CSPT_OUTPUT_SOURCE_ROOT,
    CSPT_OUTPUT_GITHUB,
    CSPT_OUTPUT_NO_GITHUB,
    CSPT_OUTPUT_END,
};
// clang-format off
#define CSPT_OUTPUT_OPTIONS                                                                                                  \
    {"junit", required_argument, NULL, CSPT_OUTPUT_JUNIT},                                                                   \
    {"sarif", required_argument, NULL, CSPT_OUTPUT_SARIF},                                                                   \
    {"json", required_argument, NULL, CSPT_OUTPUT_JSON},                                                                     \
    {"json-results", required_argument, NULL, CSPT_OUTPUT_JSON_RESULTS},                                                     \
    {"baseline", required_argument, NULL, CSPT_OUTPUT_BASELINE},                                                             \
    {"write-baseline", required_argument, NULL, CSPT_OUTPUT_WRITE_BASELINE},                                                 \
    {"source-root", required_argument, NULL, CSPT_OUTPUT_SOURCE_ROOT},                                                       \
    {"github", no_argument, NULL, CSPT_OUTPUT_GITHUB},                                                                       \
    {"no-github", no_argument, NULL, CSPT_OUTPUT_NO_GITHUB}
// clang-format on

// The lines of a help text, each ending in a newline.
extern const char cspt_outputs_help[];

// Takes one such option; the argument is borrowed.
void cspt_outputs_option(cspt_outputs *o, int option, const char *argument);

// Adds what the environment asks for, reads the baseline, sees that every file can be written. CSPT_STATUS_CLEAN, or what csp
// ends with, the error having been told.
int cspt_outputs_prepare(cspt_outputs *o, const cspt_ci *ci);

// The results' head is known: seed, strategy, shard, how many tests there are.
void cspt_outputs_begin(cspt_outputs *o, const cspt_results *r);

// A test is done: marks what the baseline knows in it, judges it, and tells.
void cspt_outputs_test(cspt_outputs *o, const cspt_results *r, cspt_test *t);

// All is done; status is what csp is about to end with. Writes every file. Returns the status to end with: CSPT_STATUS_FAILED
// when something could not be written, unless there are findings, which matter more.
int cspt_outputs_finish(cspt_outputs *o, const cspt_results *r, int status);

#endif
