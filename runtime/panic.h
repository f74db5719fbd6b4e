// panic.h - how the runtime ends a process: Go's two forms, a panic and a fatal error, exit status 2.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_RUNTIME_PANIC_H
#define CSP_RUNTIME_PANIC_H

#include "walk.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// `fatal error: ` + message, the caller's stack, exit status 2. For misuse that Go calls fatal and for an environment that
// leaves no way on. A program's own panics are csp_panic (csp/go.h).
__attribute__((noreturn, cold, format(printf, 1, 2))) void cspi_fatal(const char *format, ...);

// The pieces, for the all-asleep message: claims the right to end the process (others who try block for ever), flushes
// standard output; prints; ends.
void cspi_end_claim(void);
bool cspi_end_claim_from_signal(void); // the same for handlers: no flush; false: somebody else ends it already
__attribute__((format(printf, 1, 2))) void cspi_say(const char *format,
                                                    ...); // one write(2) to standard error, signal-safe
void cspi_say_running(const csp_co *co);                  // `coroutine 7 "name" [running]:`
void cspi_print_stack(const cspi_frames *frames);
void cspi_print_own_stack(void);
__attribute__((noreturn)) void cspi_end_process(void);

#ifdef __cplusplus
}
#endif
#endif
