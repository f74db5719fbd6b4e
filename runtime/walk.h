// walk.h - the stacks of coroutines as addresses: one's own, and those of parked ones, which nobody runs for it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_RUNTIME_WALK_H
#define CSP_RUNTIME_WALK_H

#include "co.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CSPI_MAX_FRAMES 64u

typedef struct cspi_frames {
    size_t n;
    uintptr_t pcs[CSPI_MAX_FRAMES]; // return addresses, innermost first
    // Where in the stack each was found; 0: not known. Another stack with the same addresses at the same places, counted
    // from the saved stack pointer, is the same stack, which costs no unwinding to see.
    uintptr_t slots[CSPI_MAX_FRAMES];
    bool cut; // there were more
} cspi_frames;

// The caller's own stack. Signal-safe.
void cspi_walk_own(cspi_frames *frames);
// What was interrupted by the signal whose handler calls. Signal-safe.
void cspi_walk_interrupted(cspi_frames *frames, const void *ucontext);
// The stack of a coroutine that stays parked or runnable meanwhile. Only reads it; any thread. Signal-safe.
void cspi_walk_saved(const csp_co *co, cspi_frames *frames);
// True: co's stack is that of `frames`, which was walked with the saved stack pointer sp.
bool cspi_walk_is_same(const csp_co *co, const cspi_frames *frames, const void *sp);

// switch_<arch>.S: calls fn(arg) in such a way that an unwinder that starts in fn finds, above cspi_walk_from, the frames
// that saved the state sp.
void cspi_walk_from(const void *sp, void (*fn)(void *), void *arg);

// One frame's lines: `    #3 function+0x12 (module+0x1234)`. `say` is called with pieces of text.
typedef void (*cspi_say_fn)(void *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
// How many of the first frames are the runtime's inside, below one of its public functions.
size_t cspi_walk_count_inside(const cspi_frames *frames);
// Leading frames of the runtime's inside are left out.
void cspi_walk_print(const cspi_frames *frames, cspi_say_fn say, void *out);

#ifdef __cplusplus
}
#endif
#endif
