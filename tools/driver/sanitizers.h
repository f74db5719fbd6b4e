// sanitizers.h - the set of sanitizers that -fsanitize= and -fno-sanitize= build up, and taking our own word out of it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_TOOLS_SANITIZERS_H
#define CSP_TOOLS_SANITIZERS_H

#include "common/argv.h"

typedef struct cspt_sanitizers {
    cspt_argv enabled; // names, as written; at most once each
} cspt_sanitizers;

// Takes one option of the command line into account. Returns what clang should see in its place: the option itself, the
// option without `cspthread`, or NULL when nothing is left of it.
const char *cspt_sanitizers_note(cspt_sanitizers *s, const char *arg);
bool cspt_sanitizers_has(const cspt_sanitizers *s, const char *name);
// An enabled sanitizer that cannot go with cspthread, or NULL.
const char *cspt_sanitizers_conflict(const cspt_sanitizers *s);

#endif
