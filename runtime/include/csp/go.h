// go.h - coroutines: start one, give way, end, and panics.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A coroutine is a flow of its own on a small stack (64 KiB of address space, committed as it is used), run by a few OS
// threads (CSP_MAXPROCS, default the number of cores). A program's main is the main coroutine; the runtime starts with the
// first call. When main returns the process ends, whatever the others do. Every function may also be called from a pthread
// of the program, which then blocks where a coroutine would park. A coroutine may continue on another OS thread after any
// call that parks: do not keep the address of a thread-local variable over one. errno is each coroutine's own (errno.h).
#ifndef CSP_GO_H
#define CSP_GO_H

#include "site.h"

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
CSP_PUBLIC_BEGIN

// Starts fn(arg) as a coroutine; what the caller did before happens before it. Never fails: out of memory is a fatal error.
// Does not park. (Go's go statement.)
CSP_SITE void csp_go(void (*fn)(void *), void *arg);

// Lets others run; the caller stays runnable. Makes no order between coroutines. (runtime.Gosched)
void csp_yield(void);

// Ends the calling coroutine; in main the process goes on with the others, and ends with a fatal error when none is left.
// In a pthread of the program: pthread_exit. Frames on the stack are not unwound. (runtime.Goexit)
__attribute__((noreturn)) void csp_exit(void);

// The calling coroutine's number: main is 1, numbers are not reused.
uint64_t csp_id(void);

// Coroutines that have not ended, main included; a moment's value. (runtime.NumGoroutine)
size_t csp_count(void);

// Prints `panic: ` and the message and the coroutine's stack on standard error and ends the process with status 2.
__attribute__((noreturn, cold, format(printf, 1, 2))) void csp_panic(const char *format, ...);

CSP_PUBLIC_END
#ifdef __cplusplus
}
#endif
#endif
