// signal.h - signals from inside: what the all-asleep check, the leak check and fork need to know.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The lock of the signals comes before all others of the runtime.
#ifndef CSP_RUNTIME_SIGNAL_H
#define CSP_RUNTIME_SIGNAL_H

#include "csp/signal.h"

// False: no signal will make a coroutine runnable, provided that all are asleep. True while one is being passed on; then
// cspi_rest_check follows.
bool cspi_signals_may_wake(void);
// No signal that has come is still to be passed on.
bool cspi_signals_are_told(void);
// How many threads of ours wait for signals: 0 or 1.
int cspi_signals_threads(void);
// Calls fn with every channel that a signal will send to or close. Takes the signals' lock and the contexts'.
void cspi_signals_each_channel(void (*fn)(const struct csp_chan *c, void *arg), void *arg);
// Calls fn with what signals go to: channels, contexts.
void cspi_signals_each_root(void (*fn)(const void *root, void *arg), void *arg);
// fork: prepare, then parent and child.
void cspi_signals_fork_lock(void);
void cspi_signals_fork_unlock(bool is_child);

#endif
