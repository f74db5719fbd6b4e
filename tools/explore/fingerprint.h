// fingerprint.h - what makes two findings the same one.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_TOOLS_FINGERPRINT_H
#define CSP_TOOLS_FINGERPRINT_H

#include "results/results.h"

// 16 hex digits, malloc'ed: a hash of the finding's kind and of the set of (role, function, line within the function) where
// its primary stacks end in the program; of the title, without numbers, when it has no stacks. Stable over runs, schedules,
// machines, addresses, ids, and edits of the file outside of these functions.
char *cspt_fingerprint(const cspt_finding *f);

// 16 hex digits of a text.
char *cspt_fingerprint_text(const char *text);

// The frame of a stack that the fingerprint and titles are about: the innermost that is neither a library's nor the system's;
// NULL when there is none.
const cspt_frame *cspt_own_frame(const cspt_stack *s);

#endif
