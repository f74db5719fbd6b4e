// rawmem.h - the detector's and the runtime's own memcpy and friends, which check nothing.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The compiler turns struct copies and loops into calls of memcpy, memset, strlen, ...; from inside rtl and runtime these
// must not reach the interceptors. The archive is built so that they do not: `objcopy --redefine-sym memcpy=cspr_raw_memcpy`
// over everything but the interceptors themselves (CMakeLists.txt). Files that are linked without that step, as in unit
// tests, use libc's.
#ifndef CSP_RTL_RAWMEM_H
#define CSP_RTL_RAWMEM_H

#include <stddef.h>

// RAW(return type, name, (parameters))
#define CSPR_RAW_TABLE(RAW)                                                                                            \
    RAW(void *, memcpy, (void *dst, const void *src, size_t n))                                                        \
    RAW(void *, memmove, (void *dst, const void *src, size_t n))                                                       \
    RAW(void *, mempcpy, (void *dst, const void *src, size_t n))                                                       \
    RAW(void *, memset, (void *dst, int c, size_t n))                                                                  \
    RAW(int, memcmp, (const void *a, const void *b, size_t n))                                                         \
    RAW(int, bcmp, (const void *a, const void *b, size_t n))                                                           \
    RAW(void *, memchr, (const void *p, int c, size_t n))                                                              \
    RAW(size_t, strlen, (const char *s))                                                                               \
    RAW(size_t, strnlen, (const char *s, size_t n))                                                                    \
    RAW(int, strcmp, (const char *a, const char *b))                                                                   \
    RAW(int, strncmp, (const char *a, const char *b, size_t n))                                                        \
    RAW(char *, strchr, (const char *s, int c))                                                                        \
    RAW(char *, strrchr, (const char *s, int c))                                                                       \
    RAW(size_t, strcspn, (const char *s, const char *set))                                                             \
    RAW(char *, strcpy, (char *dst, const char *src))                                                                  \
    RAW(char *, strncpy, (char *dst, const char *src, size_t n))
#define CSPR_RAW_DECLARE(ret, name, params) ret cspr_raw_##name params;
CSPR_RAW_TABLE(CSPR_RAW_DECLARE)
#undef CSPR_RAW_DECLARE

#endif
