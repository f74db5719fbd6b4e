// show.h - what csp test tells on standard error: findings as they come, and the summary.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_TOOLS_SHOW_H
#define CSP_TOOLS_SHOW_H

#include "explore/collect.h"
#include "results/results.h"

// The report, or how the program ended and what it had written.
void cspt_show_finding(const cspt_finding *f);
// --verbose: a line per run, and what it wrote.
void cspt_show_run(const cspt_shown_run *run, int wait_status);
void cspt_show_summary(const cspt_results *r);

#endif
