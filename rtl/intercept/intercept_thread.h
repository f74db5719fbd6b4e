// intercept_thread.h - what is known of a pthread by its handle.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_RTL_INTERCEPT_THREAD_H
#define CSP_RTL_INTERCEPT_THREAD_H

#include "control/control_libc.h"

// Under control: what those may know who cancel it or send it a signal. NULL: not a thread that we know, or it has ended. Stays
// readable while the caller has the turn.
cspr_control_own *cspr_thread_own(pthread_t handle);
void cspr_threads_each_own(void (*fn)(cspr_control_own *own, void *arg), void *arg);
void cspr_thread_note_main(void);  // at start, by the main thread
void cspr_thread_main_exits(void); // by pthread_exit: the turn goes on once its destructors are done

#endif
