// unwind.h - the physical stack of the calling thread.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_RTL_UNWIND_H
#define CSP_RTL_UNWIND_H

#include "rtl.h"

#define UNW_LOCAL_ONLY
#include <libunwind.h>
#include <stddef.h>
#include <stdint.h>

// Return addresses, innermost (the caller's own place) first. To be called without any lock: it reads unwind tables.
size_t cspr_unwind(uintptr_t *frames, size_t max);
// The same for a place that unw_getcontext has noted in a function that is still active.
size_t cspr_unwind_from(unw_context_t *context, uintptr_t *frames, size_t max);

// A stack id for what the calling interceptor's stack really is, when that tells more than its frame records do (`records`):
// callers in code without records. For events rare enough to pay for it.
cspr_stack cspr_unwind_stack(cspr_stack records);

#endif
