// check.h - internal checks: CSP_CHECK always, CSP_DCHECK in builds with CSP_DEBUG=1.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// For our own bugs only. What a program does wrong is csp_panic's, what the environment refuses is an error value's.
#ifndef CSP_RUNTIME_BASE_CHECK_H
#define CSP_RUNTIME_BASE_CHECK_H

#ifdef __cplusplus
extern "C" {
#endif
// Prints what failed and where, ends the process with status 2 (panic.c).
__attribute__((noreturn, cold)) void cspi_check_failed(const char *what, const char *file, int line);
#ifdef __cplusplus
}
#endif

#define CSP_CHECK(x) (__builtin_expect(!!(x), 1) ? (void)0 : cspi_check_failed(#x, __FILE__, __LINE__))
#if CSP_DEBUG
#define CSP_DCHECK(x) CSP_CHECK(x)
#else
#define CSP_DCHECK(x) ((void)0)
#endif

#endif
