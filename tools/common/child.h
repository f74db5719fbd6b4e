// child.h - runs one program to its end: its standard error comes to us, signals sent to us go to it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_TOOLS_CHILD_H
#define CSP_TOOLS_CHILD_H

#include <stdbool.h>
#include <stddef.h>

#include "common/target.h"

typedef struct cspt_child_result {
    int wait_status; // as of waitpid
    bool timed_out;  // it was killed
    int interrupted; // a signal we were sent meanwhile and passed on, 0: none
} cspt_child_result;

// Blocks the signals that cspt_child_run waits for. Call once, before the first run.
void cspt_child_prepare(void);
// The signalfd of those signals: SIGCHLD, and the ones that interrupt.
int cspt_child_signals(void);

// Runs the program in the foreground, with our standard input and output, and calls on_error_output with what it writes to
// standard error, as it comes. timeout_s: then it is killed; 0: never. Returns 0, or the errno of starting it.
int cspt_child_run(const cspt_target *program, double timeout_s,
                   void (*on_error_output)(void *arg, const char *bytes, size_t size), void *arg,
                   cspt_child_result *out);

// Ends this process by the signal that interrupted the child, as if it had not been caught.
_Noreturn void cspt_child_die_by(int signal_number);

#endif
