// findings.h - what several runs of one program showed: each distinct finding once, with how often it came.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_TOOLS_FINDINGS_H
#define CSP_TOOLS_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct cspt_finding {
    char *key;   // equal for findings that differ in addresses, numbers and times only
    char *title; // one line for people
    unsigned times, runs, last_run;
} cspt_finding;

typedef struct cspt_findings {
    cspt_finding *items;
    size_t count;
} cspt_findings;

// Both return true when it is a new one. run: counted from 1.
bool cspt_findings_add_report(cspt_findings *f, unsigned run, const char *report, size_t size);
bool cspt_findings_add_line(cspt_findings *f, unsigned run, const char *line);
void cspt_findings_fini(cspt_findings *f);

#endif
