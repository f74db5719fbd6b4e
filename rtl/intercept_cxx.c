// intercept_cxx.c - C++'s function-local statics: the end of the initialisation happens before every use.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The compiler's fast path is an acquire load of the guard's first byte, which compiled code already shows to the detector; what
// it acquires is released here, where libstdc++'s own store is not seen.
#include "libc.h"

static bool is_checked(void)
{
    return cspr_ready && !cspr_bypass();
}

// As the Itanium C++ ABI declares them; 1: the caller initialises.
CSPR_INTERCEPTOR int __cxa_guard_acquire(void *guard);
CSPR_INTERCEPTOR void __cxa_guard_release(void *guard);

CSPR_INTERCEPTOR int __cxa_guard_acquire(void *guard)
{
    int mine = cspr_real___cxa_guard_acquire(guard);
    if (!mine && is_checked()) {
        CSPR_FRAME();
        cspr_acquire(guard, cspr_task_current());
    }
    return mine;
}

CSPR_INTERCEPTOR void __cxa_guard_release(void *guard)
{
    if (is_checked()) {
        CSPR_FRAME();
        cspr_release(guard, cspr_task_current());
    }
    cspr_real___cxa_guard_release(guard);
}
