// ci.h - what the environment of a continuous-integration system asks of a test runner, besides which shard (shard.h).
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_TOOLS_CI_H
#define CSP_TOOLS_CI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct cspt_ci {
    const char *junit;        // Bazel's XML_OUTPUT_FILE: where --junit writes when it is not given
    const char *artifacts;    // Bazel's TEST_UNDECLARED_OUTPUTS_DIR: a folder that is kept; schedules belong there
    const char *temporary;    // Bazel's TEST_TMPDIR
    const char *only;         // Bazel's TESTBRIDGE_TEST_ONLY: a filter over the tests' names, --test_filter there
    const char *unfinished;   // Bazel's TEST_PREMATURE_EXIT_FILE: there as long as the tests have not come to their end
    uint64_t repetition;      // Bazel's TEST_RUN_NUMBER or TEST_RANDOM_SEED: 1, 2, ... under --runs_per_test; 0: none
    unsigned jobs;            // CTest's resource groups: slots of the type cpus that the test was given; 0: none
    bool github;              // GITHUB_ACTIONS is true: annotations are understood
    const char *step_summary; // GITHUB_STEP_SUMMARY: a file that Markdown is added to
    const char *source_root;  // GITHUB_WORKSPACE, else Bazel's TEST_SRCDIR: what paths in reports are told relative to
} cspt_ci;

// All strings are the environment's own; NULL: not set.
void cspt_ci_read(cspt_ci *out);

// The seed that repetition of a test explores from: each repetition its own, the first and none at all the seed itself.
uint64_t cspt_ci_seed(const cspt_ci *ci, uint64_t seed);

// Takes out of the environment what the programs under test would follow once more: GoogleTest's and Bazel's shards, filter
// and output files. After cspt_ci_read and cspt_shard_acknowledge; their strings stay valid.
void cspt_ci_hide_from_tests(void);

// Creates the file ci->unfinished; cspt_ci_finish removes it. Both do nothing without one.
void cspt_ci_begin(const cspt_ci *ci);
void cspt_ci_finish(const cspt_ci *ci);

#endif
