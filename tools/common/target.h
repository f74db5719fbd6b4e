// target.h - one test: a command, where and how it runs, and which ends are its good ones.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_TOOLS_TARGET_H
#define CSP_TOOLS_TARGET_H

#include <stdbool.h>
#include <stddef.h>

#include "common/argv.h"

// Strings live until csp ends.
typedef struct cspt_target {
    const char *name;
    cspt_argv command;
    const char *directory; // NULL: csp's
    cspt_argv environment; // NAME=value on top of csp's own; NAME alone: not set
    double timeout_s;      // 0: csp's
    int skip_status;       // an exit status that means "skipped"; -1: none
    bool will_fail;        // a status other than 0 is the good end
    cspt_argv pass_output; // CMake regular expressions: its output must have one; then the status does not count
    cspt_argv fail_output; // likewise, none of which it may have
    bool controlled;       // built with the detector, and so to be explored; else it is run as it is
    const char *skipped;   // why it is not to be run; NULL: it is
} cspt_target;

typedef struct cspt_targets {
    cspt_target *items;
    size_t count;
} cspt_targets;

#endif
