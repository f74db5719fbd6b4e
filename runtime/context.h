// context.h - the lock of all context trees, for those who must hold it before the scheduler's and the timers'.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Order of the runtime's global locks: this one, a channel's, cspi_sched.lock, the timers', the stacks'.
#ifndef CSP_RUNTIME_CONTEXT_H
#define CSP_RUNTIME_CONTEXT_H

void cspi_contexts_lock(void);
void cspi_contexts_unlock(void);

#endif
