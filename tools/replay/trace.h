// trace.h - a recorded schedule beside the source: which of its steps a finding is about, and the whole as a timeline.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_TOOLS_TRACE_H
#define CSP_TOOLS_TRACE_H

#include "replay/schedule_read.h"
#include "results/results.h"

typedef struct cspt_trace_look {
    unsigned width; // of the terminal
    bool ascii, color;
    bool all; // no step is left out in between
} cspt_trace_look;

// For the terminal that standard output is, and the environment (NO_COLOR, COLUMNS, the locale's character set).
cspt_trace_look cspt_trace_look_here(void);

// The step, from 0, after which the first of the operations happened that the finding's primary stacks end in. n_steps: not known.
// f may be NULL. The places of s have been found (places.h).
size_t cspt_trace_first(const cspt_schedule *s, const cspt_finding *f);

// Malloc'ed. Plain accesses are no steps of a schedule: what the finding says of them stands after the step that they follow.
char *cspt_trace_draw(const cspt_schedule *s, const cspt_finding *f, const cspt_trace_look *look);

#endif
