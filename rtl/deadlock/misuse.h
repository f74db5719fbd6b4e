// misuse.h - locks used wrongly, and where each lock was made.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_RTL_MISUSE_H
#define CSP_RTL_MISUSE_H

#include "rtl.h"

typedef enum cspr_misuse {
    CSPR_BAD_UNLOCK,
    CSPR_DOUBLE_LOCK,
    CSPR_READ_TWICE,
    CSPR_DESTROY_LOCKED,
    CSPR_INVALID_LOCK,
    CSPR_LOCK_HELD,
    CSPR_SIGNAL_UNSAFE,
    CSPR_SIGNAL_ERRNO
} cspr_misuse;

// Prints it, unless it was printed for this place before or is suppressed. lock NULL: not about a lock. other: a second stack
// (where the lock was taken), 0: none. No lock held, not in the detector.
void cspr_report_misuse(cspr_misuse what, const void *lock, cspr_stack stack, cspr_stack other);

// intercept_signal.c: where the stack stood when the innermost signal handler was called on this thread, 0: in none.
extern __thread uintptr_t cspr_handler_frame __attribute__((tls_model("initial-exec")));
// A handler that was left by longjmp is over: the stack is above its frame again.
static inline bool cspr_in_handler(void)
{
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    return cspr_handler_frame && here < cspr_handler_frame && cspr_handler_frame - here < 1u << 20;
}

// Where a lock was made, for reports; forgotten when it is destroyed. Locks that are valid when zeroed have no such place.
void cspr_lock_made(const void *lock, cspr_stack stack);
void cspr_lock_gone(const void *lock);
cspr_stack cspr_lock_creation(const void *lock); // 0: not known

void cspr_made_fork_lock(bool take); // while the process forks (exit.c)

#endif
