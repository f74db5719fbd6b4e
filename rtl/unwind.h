// unwind.h - the physical stack of the calling thread.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_RTL_UNWIND_H
#define CSP_RTL_UNWIND_H

#include <stddef.h>
#include <stdint.h>

// Return addresses, innermost (the caller's own place) first. To be called without any lock: it reads unwind tables.
size_t cspr_unwind(uintptr_t *frames, size_t max);

#endif
