// leak.h - coroutines that are still parked when the program ends.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_RTL_LEAK_H
#define CSP_RTL_LEAK_H

#include "rtl.h"

// Lets the runtime come to rest (option leak_grace_ms), then reports every coroutine that waits for something nobody is about
// to give. Called once, by the thread that ends the program, outside the detector; may park it and go on on another thread.
void cspr_leak_check(void);

// leak_thread.c: at the very end, threads that have ended and were neither joined nor detached.
void cspr_leak_check_threads(void);
// intercept_thread.c: those; returns how many were written.
size_t cspr_threads_unjoined(cspr_who *out, size_t max);

#endif
