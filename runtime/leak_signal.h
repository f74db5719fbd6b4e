// leak_signal.h - a signal makes the running program report who is stuck.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_RUNTIME_LEAK_SIGNAL_H
#define CSP_RUNTIME_LEAK_SIGNAL_H

// Once the runtime has started: a thread that looks when the detector's signal comes, if it has one and the program has not
// taken that signal for itself.
void cspi_leak_signal_start(void);

#endif
