// interrupt.h - the stack of a thread that runs on, taken by a signal sent to it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_RUNTIME_INTERRUPT_H
#define CSP_RUNTIME_INTERRUPT_H

#include "walk.h"

// Interrupts the thread and walks its stack. False, and no frames: it does not answer within a tenth of a second, or the
// program handles SIGURG itself. One caller at a time.
bool cspi_interrupt_walk(int tid, cspi_frames *frames);

#endif
