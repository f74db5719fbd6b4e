// report_parse.h - the stacks of a report, read back from its text: for programs that are run as they are.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_TOOLS_REPORT_PARSE_H
#define CSP_TOOLS_REPORT_PARSE_H

#include "results/results.h"

// Adds kind, text and stacks to f. report: with or without colours.
void cspt_report_parse(cspt_finding *f, const char *report, size_t size);

#endif
