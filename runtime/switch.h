// switch.h - the register switch: the whole of what the runtime needs of a processor, one switch_<arch>.{h,S} each.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each switch_<arch>.h defines, to be inlined where it is used (see there for why):
//
//     static inline void cspi_switch(void **save, void *load);
//
// Saves the callee-saved registers and the floating-point control words on the current stack, stores the stack pointer
// in *save, and continues what was saved at `load`. Returns when somebody switches back to *save.
#ifndef CSP_RUNTIME_SWITCH_H
#define CSP_RUNTIME_SWITCH_H

#include <stdint.h>

#if defined(__x86_64__)
#include "switch_x86_64.h"
#else
#error "no register switch for this processor"
#endif

#ifdef __cplusplus
extern "C" {
#endif

// Builds a saved state at the top of an unused stack (16-byte aligned) whose first switch calls fn(arg) from
// cspi_co_entry; the floating-point control words are the caller's. Returns the value to pass as `load`.
void *cspi_switch_prepare(void *stack_top, void (*fn)(void *), void *arg);

// The fn of a stack that cspi_switch_prepare was given, for dumps.
static inline uintptr_t cspi_switch_entry(const void *stack_top)
{
    return ((const uintptr_t *)stack_top)[CSPI_SWITCH_ENTRY_SLOT];
}

// The bottom frame of every coroutine: unwinders stop here. Calls fn(arg), then cspi_co_finish().
void cspi_co_entry(void);
// Ends the calling coroutine (sched.c).
__attribute__((noreturn)) void cspi_co_finish(void);

#ifdef __cplusplus
}
#endif
#endif
