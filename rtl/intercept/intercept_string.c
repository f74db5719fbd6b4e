// intercept_string.c - mem* and str*: what they read and write counts as accesses of their caller.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Checked are the bytes a function really depends on: memcmp up to the first difference, strchr up to what it found.
// Before cspr_intercept_init (ld.so, ifunc resolvers) the plain functions of rawmem.c do the work.
#include "support/libc.h"
#include "support/rawmem.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#define REAL_OR_RAW(name) (CSPR_LIKELY(cspr_real_##name != NULL) ? cspr_real_##name : cspr_raw_##name)

static bool is_checked(void)
{
    return cspr_ready && !cspr_bypass();
}

// --- checks: `stack` was taken in the interceptor itself -------------------------------------------------------------------

static void read_range(const void *p, size_t n, cspr_stack stack)
{
    if (n)
        cspr_access((uintptr_t)p, n, false, stack);
}

static void write_range(void *p, size_t n, cspr_stack stack)
{
    if (n)
        cspr_access((uintptr_t)p, n, true, stack);
}

// Whether the running task's open epoch has recorded all of it already, as compiled code's inline check asks (layout.h): a
// write by a write, a read by a read or a write (rule A10).
static inline bool is_recorded(const void *p, size_t n, bool is_write)
{
    enum { MAX_INLINE = 256 };
    uintptr_t addr = (uintptr_t)p, end = addr + n;
    if (n > MAX_INLINE)
        return false;
    while (addr < end) {
        uintptr_t word = addr & ~(uintptr_t)7, next = word + 8 < end ? word + 8 : end;
        uint64_t mask = (1ull << (next - word)) - (1ull << (addr - word));
        uint64_t key = ~0ull << CSPR_EPOCH_SHIFT | mask << CSPR_MASK_SHIFT;
        const uint64_t *cells = (const uint64_t *)(CSPR_SHADOW_BASE | (word & CSPR_APP_MASK) << 1);
        // relaxed: a stale value of our own epoch is harmless, whoever replaced it has reported (rule A3)
        uint64_t read = __atomic_load_n(cells + CSPR_CELL_READ / 8, __ATOMIC_RELAXED);
        uint64_t write = __atomic_load_n(cells + CSPR_CELL_WRITE / 8, __ATOMIC_RELAXED); // relaxed: as above
        if (((write ^ __csp_current) & key) && (is_write || ((read ^ __csp_current) & key)))
            return false;
        addr = next;
    }
    return true;
}

// In the interceptor itself, after CSPR_FRAME(): a stack is made only when it is needed.
#define READ(p, n)                                                                                                     \
    do {                                                                                                               \
        if (!is_recorded(p, n, false))                                                                                 \
            read_range(p, n, CSPR_STACK());                                                                            \
    } while (0)
#define WRITE(p, n)                                                                                                    \
    do {                                                                                                               \
        if (!is_recorded(p, n, true))                                                                                  \
            write_range(p, n, CSPR_STACK());                                                                           \
    } while (0)

static size_t length(const char *s)
{
    return REAL_OR_RAW(strlen)(s);
}

static size_t length_within(const char *s, size_t n)
{
    return REAL_OR_RAW(strnlen)(s, n);
}

// Bytes of a string that a function limited to n looks at: the terminator too, when it is within n.
static size_t touched_within(const char *s, size_t n)
{
    size_t len = length_within(s, n);
    return len < n ? len + 1 : n;
}

// --- memory blocks ---------------------------------------------------------------------------------------------------------

#define COPY_BODY(real)                                                                                                \
    do {                                                                                                               \
        if (is_checked()) {                                                                                            \
            CSPR_FRAME();                                                                                              \
            READ(src, n);                                                                                              \
            WRITE(dst, n);                                                                                             \
        }                                                                                                              \
        return REAL_OR_RAW(real)(dst, src, n);                                                                         \
    } while (0)

#define SET_BODY()                                                                                                     \
    do {                                                                                                               \
        if (is_checked()) {                                                                                            \
            CSPR_FRAME();                                                                                              \
            WRITE(dst, n);                                                                                             \
        }                                                                                                              \
        return REAL_OR_RAW(memset)(dst, c, n);                                                                         \
    } while (0)

CSPR_INTERCEPTOR void *memcpy(void *dst, const void *src, size_t n)
{
    COPY_BODY(memcpy);
}

CSPR_INTERCEPTOR void *memmove(void *dst, const void *src, size_t n)
{
    COPY_BODY(memmove);
}

CSPR_INTERCEPTOR void *memset(void *dst, int c, size_t n)
{
    SET_BODY();
}

// What the compiler's intrinsics become (abi.inc).
CSPR_INTERFACE void *__csp_memcpy(void *dst, const void *src, size_t n)
{
    COPY_BODY(memcpy);
}

CSPR_INTERFACE void *__csp_memmove(void *dst, const void *src, size_t n)
{
    COPY_BODY(memmove);
}

CSPR_INTERFACE void *__csp_memset(void *dst, int c, size_t n)
{
    SET_BODY();
}

CSPR_INTERCEPTOR void *mempcpy(void *dst, const void *src, size_t n)
{
    if (is_checked()) {
        CSPR_FRAME();
        READ(src, n);
        WRITE(dst, n);
    }
    return (char *)REAL_OR_RAW(memcpy)(dst, src, n) + n;
}

CSPR_INTERCEPTOR void bzero(void *dst, size_t n)
{
    if (is_checked()) {
        CSPR_FRAME();
        WRITE(dst, n);
    }
    REAL_OR_RAW(memset)(dst, 0, n);
}

// Fortified builds call these; a size that is too small ends the process as glibc's own would.
#define CHECKED_COPY(name, base)                                                                                       \
    CSPR_INTERCEPTOR void *name(void *dst, const void *src, size_t n, size_t room)                                     \
    {                                                                                                                  \
        if (n > room)                                                                                                  \
            cspr_die("buffer overflow in " #base);                                                                     \
        COPY_BODY(base);                                                                                               \
    }
CHECKED_COPY(__memcpy_chk, memcpy)
CHECKED_COPY(__memmove_chk, memmove)

CSPR_INTERCEPTOR void *__memset_chk(void *dst, int c, size_t n, size_t room)
{
    if (n > room)
        cspr_die("buffer overflow in memset");
    SET_BODY();
}

// Index of the first byte in which the blocks differ, n when none does.
static size_t first_difference(const unsigned char *a, const unsigned char *b, size_t n)
{
    typedef uint64_t __attribute__((may_alias, aligned(1))) word;
    size_t i = 0;
    while (i + 8 <= n && *(const word *)(a + i) == *(const word *)(b + i))
        i += 8;
    while (i < n && a[i] == b[i])
        i++;
    return i;
}

#define COMPARE_BODY()                                                                                                 \
    do {                                                                                                               \
        size_t same = first_difference(a, b, n);                                                                       \
        if (is_checked()) {                                                                                            \
            CSPR_FRAME();                                                                                              \
            READ(a, same < n ? same + 1 : n);                                                                          \
            READ(b, same < n ? same + 1 : n);                                                                          \
        }                                                                                                              \
        return same < n ? ((const unsigned char *)a)[same] - ((const unsigned char *)b)[same] : 0;                     \
    } while (0)

CSPR_INTERCEPTOR int memcmp(const void *a, const void *b, size_t n)
{
    COMPARE_BODY();
}

CSPR_INTERCEPTOR int bcmp(const void *a, const void *b, size_t n)
{
    COMPARE_BODY();
}

CSPR_INTERCEPTOR void *memchr(const void *p, int c, size_t n)
{
    char *found = REAL_OR_RAW(memchr)(p, c, n);
    if (is_checked()) {
        CSPR_FRAME();
        READ(p, found ? (size_t)(found - (const char *)p) + 1 : n);
    }
    return found;
}

CSPR_INTERCEPTOR void *memrchr(const void *p, int c, size_t n)
{
    char *found = cspr_real_memrchr(p, c, n);
    if (is_checked()) {
        CSPR_FRAME();
        const char *from = found ? found : p;
        READ(from, (size_t)((const char *)p + n - from));
    }
    return found;
}

CSPR_INTERCEPTOR void *memmem(const void *p, size_t n, const void *piece, size_t k)
{
    char *found = cspr_real_memmem(p, n, piece, k);
    if (is_checked()) {
        CSPR_FRAME();
        READ(p, found ? (size_t)(found - (const char *)p) + k : n);
        READ(piece, k);
    }
    return found;
}

// --- strings: lengths and searches -----------------------------------------------------------------------------------------

CSPR_INTERCEPTOR size_t strlen(const char *s)
{
    size_t n = length(s);
    if (is_checked()) {
        CSPR_FRAME();
        READ(s, n + 1);
    }
    return n;
}

CSPR_INTERCEPTOR size_t strnlen(const char *s, size_t n)
{
    if (is_checked()) {
        CSPR_FRAME();
        READ(s, touched_within(s, n));
    }
    return length_within(s, n);
}

CSPR_INTERCEPTOR char *strchr(const char *s, int c)
{
    char *found = cspr_raw_strchr(s, c);
    if (is_checked()) {
        CSPR_FRAME();
        READ(s, found ? (size_t)(found - s) + 1 : length(s) + 1);
    }
    return found;
}

CSPR_INTERCEPTOR char *strchrnul(const char *s, int c)
{
    char *found = cspr_raw_strchr(s, c);
    if (!found)
        found = (char *)(uintptr_t)s + length(s);
    if (is_checked()) {
        CSPR_FRAME();
        READ(s, (size_t)(found - s) + 1);
    }
    return found;
}

CSPR_INTERCEPTOR char *strrchr(const char *s, int c)
{
    if (is_checked()) {
        CSPR_FRAME();
        READ(s, length(s) + 1);
    }
    return cspr_raw_strrchr(s, c);
}

CSPR_INTERCEPTOR char *strstr(const char *s, const char *piece)
{
    char *found = cspr_real_strstr(s, piece);
    if (is_checked()) {
        CSPR_FRAME();
        size_t k = length(piece);
        READ(s, found ? (size_t)(found - s) + k : length(s) + 1);
        READ(piece, k + 1);
    }
    return found;
}

CSPR_INTERCEPTOR char *strpbrk(const char *s, const char *set)
{
    char *found = cspr_real_strpbrk(s, set);
    if (is_checked()) {
        CSPR_FRAME();
        READ(s, found ? (size_t)(found - s) + 1 : length(s) + 1);
        READ(set, length(set) + 1);
    }
    return found;
}

#define SPAN(name)                                                                                                     \
    CSPR_INTERCEPTOR size_t name(const char *s, const char *set)                                                       \
    {                                                                                                                  \
        size_t n = cspr_real_##name(s, set);                                                                           \
        if (is_checked()) {                                                                                            \
            CSPR_FRAME();                                                                                              \
            READ(s, n + 1);                                                                                            \
            READ(set, length(set) + 1);                                                                                \
        }                                                                                                              \
        return n;                                                                                                      \
    }
SPAN(strspn)
SPAN(strcspn)

// --- strings: comparisons --------------------------------------------------------------------------------------------------

static int as_is(int c)
{
    return c;
}

#define STRING_COMPARE_BODY(fold, n)                                                                                   \
    do {                                                                                                               \
        const unsigned char *x = (const unsigned char *)a, *y = (const unsigned char *)b;                              \
        size_t i = 0;                                                                                                  \
        while (i < (n) && fold(x[i]) == fold(y[i]) && x[i])                                                            \
            i++;                                                                                                       \
        if (is_checked()) {                                                                                            \
            CSPR_FRAME();                                                                                              \
            READ(a, i < (n) ? i + 1 : (n));                                                                            \
            READ(b, i < (n) ? i + 1 : (n));                                                                            \
        }                                                                                                              \
        return i < (n) ? fold(x[i]) - fold(y[i]) : 0;                                                                  \
    } while (0)

CSPR_INTERCEPTOR int strcmp(const char *a, const char *b)
{
    STRING_COMPARE_BODY(as_is, SIZE_MAX);
}

CSPR_INTERCEPTOR int strncmp(const char *a, const char *b, size_t n)
{
    STRING_COMPARE_BODY(as_is, n);
}

CSPR_INTERCEPTOR int strcasecmp(const char *a, const char *b)
{
    STRING_COMPARE_BODY(tolower, SIZE_MAX);
}

CSPR_INTERCEPTOR int strncasecmp(const char *a, const char *b, size_t n)
{
    STRING_COMPARE_BODY(tolower, n);
}

// --- strings: copies -------------------------------------------------------------------------------------------------------

// Copies n bytes of src to dst, checked as one function of the program's; pad zero bytes follow.
static void copy_checked(char *dst, const char *src, size_t n, size_t pad, cspr_stack stack)
{
    if (stack) {
        read_range(src, n, stack);
        write_range(dst, n + pad, stack);
    }
    REAL_OR_RAW(memcpy)(dst, src, n);
    if (pad)
        REAL_OR_RAW(memset)(dst + n, 0, pad);
}

#define STACK_IF_CHECKED() (is_checked() ? CSPR_STACK() : 0)

CSPR_INTERCEPTOR char *strcpy(char *dst, const char *src)
{
    CSPR_FRAME();
    copy_checked(dst, src, length(src) + 1, 0, STACK_IF_CHECKED());
    return dst;
}

CSPR_INTERCEPTOR char *stpcpy(char *dst, const char *src)
{
    CSPR_FRAME();
    size_t n = length(src);
    copy_checked(dst, src, n + 1, 0, STACK_IF_CHECKED());
    return dst + n;
}

CSPR_INTERCEPTOR char *strncpy(char *dst, const char *src, size_t n)
{
    CSPR_FRAME();
    size_t k = touched_within(src, n);
    copy_checked(dst, src, k, n - k, STACK_IF_CHECKED());
    return dst;
}

CSPR_INTERCEPTOR char *stpncpy(char *dst, const char *src, size_t n)
{
    CSPR_FRAME();
    size_t k = touched_within(src, n), len = length_within(src, n);
    copy_checked(dst, src, k, n - k, STACK_IF_CHECKED());
    return dst + len;
}

CSPR_INTERCEPTOR char *strcat(char *dst, const char *src)
{
    CSPR_FRAME();
    size_t at = length(dst);
    cspr_stack stack = STACK_IF_CHECKED();
    if (stack)
        read_range(dst, at + 1, stack);
    copy_checked(dst + at, src, length(src) + 1, 0, stack);
    return dst;
}

CSPR_INTERCEPTOR char *strncat(char *dst, const char *src, size_t n)
{
    CSPR_FRAME();
    size_t at = length(dst), k = length_within(src, n);
    cspr_stack stack = STACK_IF_CHECKED();
    if (stack) {
        read_range(dst, at + 1, stack);
        read_range(src, touched_within(src, n), stack);
        write_range(dst + at, k + 1, stack);
    }
    REAL_OR_RAW(memcpy)(dst + at, src, k);
    dst[at + k] = 0;
    return dst;
}

static char *duplicate(const char *s, size_t n, size_t touched, cspr_stack stack)
{
    if (stack)
        read_range(s, touched, stack);
    char *copy = malloc(n + 1); // NOLINT(clang-analyzer-optin.portability.UnixAPI): n is a string's length
    if (!copy)
        return NULL;
    if (stack)
        write_range(copy, n + 1, stack);
    REAL_OR_RAW(memcpy)(copy, s, n);
    copy[n] = 0;
    return copy;
}

CSPR_INTERCEPTOR char *strdup(const char *s)
{
    CSPR_FRAME();
    size_t n = length(s);
    return duplicate(s, n, n + 1, STACK_IF_CHECKED());
}

CSPR_INTERCEPTOR char *strndup(const char *s, size_t n)
{
    CSPR_FRAME();
    return duplicate(s, length_within(s, n), touched_within(s, n), STACK_IF_CHECKED());
}
