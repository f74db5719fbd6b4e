// symbolizer.h - asking the process that knows functions, lines and variables.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_RTL_SYMBOLIZER_H
#define CSP_RTL_SYMBOLIZER_H

#include "support/print.h"

// One answer: lines, without the empty one at the end. index: of its question.
typedef void cspr_answer_fn(size_t index, const char *answer, void *arg);

// Asks n questions in one go; question i ends at byte ends[i] of `questions`, with its newline. False: not all were answered.
// Caller holds the report lock.
bool cspr_symbolizer_ask(const cspr_text *questions, const size_t *ends, size_t n, cspr_answer_fn *take, void *arg);
// Whether it is csp-symbolizer, which answers GLOBAL, LOCAL and TLS too.
bool cspr_symbolizer_knows_variables(void);
// In the fork server, before its first fork: starts csp-symbolizer now, if that is what there is, and lets the forks use it, one
// at a time. A run in which something is reported then costs no start of it, which takes longer than the run.
void cspr_symbolizer_share(void);
// In a forked child: the link to the parent's process is closed; the next question starts one of our own.
void cspr_symbolizer_after_fork(void);

#endif
