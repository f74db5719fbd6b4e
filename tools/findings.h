// findings.h - what several runs of one program showed: each distinct finding once, with how often it came.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_TOOLS_FINDINGS_H
#define CSP_TOOLS_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct cspt_counted {
    char *key;   // equal for findings that differ in addresses, numbers and times only
    char *title; // one line for people
    unsigned times, runs, last_run;
} cspt_counted;

typedef struct cspt_counts {
    cspt_counted *items;
    size_t count;
} cspt_counts;

// Both return true when it is a new one. run: counted from 1.
bool cspt_counts_add_report(cspt_counts *f, unsigned run, const char *report, size_t size);
bool cspt_counts_add_line(cspt_counts *f, unsigned run, const char *line);
void cspt_counts_fini(cspt_counts *f);

#endif
