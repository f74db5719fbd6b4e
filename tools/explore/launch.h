// launch.h - starts a test's command: its folder, environment and descriptors.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_TOOLS_LAUNCH_H
#define CSP_TOOLS_LAUNCH_H

#include <signal.h>
#include <sys/types.h>

#include "common/target.h"

enum { CSPT_LAUNCH_NULL = -1, CSPT_LAUNCH_OURS = -2 }; // for descriptors: /dev/null; as it is here

typedef struct cspt_launch {
    const char *options;  // CSPTHREAD_OPTIONS, after those in the environment, which they override; NULL: none
    int in, out, err;     // become standard input, output and error; or one of those below
    int kept;             // stays open under its own number; -1: none
    bool is_foreground;   // stays in our process group, which the terminal's signals reach
    const sigset_t *mask; // signals that it starts with blocked; NULL: none
} cspt_launch;

// Returns 0 or an errno.
int cspt_launch_start(const cspt_target *t, const cspt_launch *how, pid_t *pid);

#endif
