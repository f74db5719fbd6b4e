// progress.h - says how far the exploration is: a bar on a terminal, now and then a line elsewhere.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_TOOLS_PROGRESS_H
#define CSP_TOOLS_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct cspt_progress {
    // --- set by those who work
    bool is_quiet;             // nothing is shown
    const char *what;          // unit: "schedules", "runs"
    const char *test;          // under way; NULL: none
    uint64_t done, total;      // of the test; total 0: the time decides
    double elapsed_s, limit_s; // of the test; limit 0: none
    size_t tests_done, tests_total;
    size_t findings; // over all tests
    // --- kept here
    bool is_terminal, shown, colour;
    double last_s;
    size_t last_findings;
} cspt_progress;

void cspt_progress_init(cspt_progress *p);
// Shows it unless it was shown just now. now_s: any clock's seconds.
void cspt_progress_update(cspt_progress *p, double now_s);
// Before anything else is written to standard error.
void cspt_progress_hide(cspt_progress *p);

// The bar for a terminal so many columns wide, without colours, always shorter than that; the line for elsewhere. To be freed.
char *cspt_progress_bar(const cspt_progress *p, unsigned columns);
char *cspt_progress_line(const cspt_progress *p);

#endif
