// test_options.h - the command line of csp test.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_TOOLS_TEST_OPTIONS_H
#define CSP_TOOLS_TEST_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "results/outputs.h"

typedef struct cspt_test_options {
    uint64_t count; // 0: not given
    double time_s;  // 0: not given
    const char *strategy;
    bool has_seed;
    uint64_t seed;
    unsigned depth, jobs; // 0: not given
    const char *points, *shard, *filter, *schedules;
    double timeout_s; // 0: not given
    bool plain, check_determinism, quiet, verbose;
    cspt_outputs outputs;
    // --- what is left: groups of words, each a program with its arguments, or a folder
    struct cspt_words {
        char *const *words;
        size_t count;
    } *groups;
    size_t n_groups;
} cspt_test_options;

// False: *status is what csp ends with, and what is to be said has been said.
bool cspt_test_options_parse(cspt_test_options *o, int argc, char **argv, int *status);

// "90", "90s", "5m", "1h", "250ms", a fraction too: seconds, above 0. False: it is none.
bool cspt_parse_duration(const char *text, double *out);
// A decimal number without sign, at least `least`.
bool cspt_parse_number(const char *text, uint64_t least, uint64_t *out);

#endif
