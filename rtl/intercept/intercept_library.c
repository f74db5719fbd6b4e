// intercept_library.c - library functions that only read and write memory for their caller, as intercept_library.inc lists them.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What is read is checked before the call, what is written after it, when it is known how much that was. A call that fails
// wrote nothing. The real function runs outside the detector: it may block, and libc's own locks are its own business.
#include "intercept/intercept_library.h"
#include "support/libc.h"

static bool is_checked(void)
{
    return cspr_ready && !cspr_bypass();
}

static void check(const void *p, size_t n, bool is_write, cspr_stack stack)
{
    int saved = errno;
    if (p && n)
        cspr_access((uintptr_t)p, n, is_write, stack);
    errno = saved;
}

static size_t string_bytes(const char *s)
{
    return s ? strlen(s) + 1 : 0;
}

// Bytes of a string of which at most n are looked at.
static size_t bytes_within(const char *s, size_t n)
{
    size_t len = strnlen(s, n);
    return len < n ? len + 1 : n;
}

static size_t wide_bytes(const wchar_t *s)
{
    return s ? (cspr_real_wcslen(s) + 1) * sizeof *s : 0;
}

static size_t wide_bytes_within(const wchar_t *s, size_t n)
{
    size_t len = cspr_real_wcsnlen(s, n);
    return (len < n ? len + 1 : n) * sizeof *s;
}

#define R(p, n) check(p, n, false, CSPR_STACK())
#define W(p, n) check(p, n, true, CSPR_STACK())
#define RS(s) check(s, string_bytes(s), false, CSPR_STACK())
#define WS(s) check(s, string_bytes(s), true, CSPR_STACK())
#define RN(s, n) check(s, bytes_within(s, n), false, CSPR_STACK())
#define RWS(s) check(s, wide_bytes(s), false, CSPR_STACK())
#define WWS(s) check(s, wide_bytes(s), true, CSPR_STACK())
#define RWN(s, n) check(s, wide_bytes_within(s, n), false, CSPR_STACK())

// glibc's headers promise the compiler that some arguments are never NULL; the program may break that promise.
#pragma clang diagnostic ignored "-Wnonnull"

#define LIBRARY(ret, name, params, args, before, after)                                                                \
    CSPR_INTERCEPTOR ret name params                                                                                   \
    {                                                                                                                  \
        if (!is_checked()) {                                                                                           \
            if (!cspr_real_##name) /* a library's constructor that ran before us */                                    \
                cspr_intercept_init();                                                                                 \
            return cspr_real_##name args;                                                                              \
        }                                                                                                              \
        CSPR_FRAME();                                                                                                  \
        before;                                                                                                        \
        ret result = cspr_real_##name args;                                                                            \
        after;                                                                                                         \
        return result;                                                                                                 \
    }
#define VOID(name, params, args, before, after)                                                                        \
    CSPR_INTERCEPTOR void name params                                                                                  \
    {                                                                                                                  \
        if (!is_checked()) {                                                                                           \
            if (!cspr_real_##name)                                                                                     \
                cspr_intercept_init();                                                                                 \
            cspr_real_##name args;                                                                                     \
            return;                                                                                                    \
        }                                                                                                              \
        CSPR_FRAME();                                                                                                  \
        before;                                                                                                        \
        cspr_real_##name args;                                                                                         \
        after;                                                                                                         \
    }
#include "intercept/intercept_library.inc"
