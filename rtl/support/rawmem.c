// rawmem.c - the detector's and the runtime's own memcpy and friends, which check nothing.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Compiled without builtins, or the compiler would turn each loop into a call of itself. Small blocks (channel elements,
// headers) go by overlapping words, large ones by the processor's string instructions.
#include "support/rawmem.h"

#include <stdint.h>

typedef uint64_t __attribute__((may_alias, aligned(1))) word;
typedef uint32_t __attribute__((may_alias, aligned(1))) half;

// Both ends are read before either is written, so that it is right for overlapping blocks too.
static void copy_small(char *dst, const char *src, size_t n)
{
    if (n >= 8) {
        word a = *(const word *)src, b = *(const word *)(src + n - 8);
        *(word *)dst = a;
        *(word *)(dst + n - 8) = b;
    } else if (n >= 4) {
        half a = *(const half *)src, b = *(const half *)(src + n - 4);
        *(half *)dst = a;
        *(half *)(dst + n - 4) = b;
    } else if (n) {
        char a = src[0], b = src[n / 2], c = src[n - 1];
        dst[0] = a;
        dst[n / 2] = b;
        dst[n - 1] = c;
    }
}

void *cspr_raw_memcpy(void *dst, const void *src, size_t n)
{
    void *d = dst;
    if (n <= 16)
        copy_small(dst, src, n);
    else
        __asm__ volatile("rep movsb" : "+D"(d), "+S"(src), "+c"(n) : : "memory");
    return dst;
}

void *cspr_raw_memmove(void *dst, const void *src, size_t n)
{
    if ((uintptr_t)dst - (uintptr_t)src >= n || n <= 16)
        return cspr_raw_memcpy(dst, src, n);
    char *d = (char *)dst + n - 1;
    const char *s = (const char *)src + n - 1;
    __asm__ volatile("std; rep movsb; cld" : "+D"(d), "+S"(s), "+c"(n) : : "memory");
    return dst;
}

void *cspr_raw_mempcpy(void *dst, const void *src, size_t n)
{
    return (char *)cspr_raw_memcpy(dst, src, n) + n;
}

void *cspr_raw_memset(void *dst, int c, size_t n)
{
    void *d = dst;
    __asm__ volatile("rep stosb" : "+D"(d), "+c"(n) : "a"(c) : "memory");
    return dst;
}

int cspr_raw_memcmp(const void *a, const void *b, size_t n)
{
    const unsigned char *x = a, *y = b;
    for (; n; n--, x++, y++)
        if (*x != *y)
            return *x - *y;
    return 0;
}

int cspr_raw_bcmp(const void *a, const void *b, size_t n)
{
    return cspr_raw_memcmp(a, b, n);
}

void *cspr_raw_memchr(const void *p, int c, size_t n)
{
    for (const unsigned char *s = p; n; n--, s++)
        if (*s == (unsigned char)c)
            return (void *)(uintptr_t)s;
    return NULL;
}

size_t cspr_raw_strnlen(const char *s, size_t n)
{
    size_t i = 0;
    while (i < n && s[i])
        i++;
    return i;
}

size_t cspr_raw_strlen(const char *s)
{
    return cspr_raw_strnlen(s, SIZE_MAX);
}

int cspr_raw_strncmp(const char *a, const char *b, size_t n)
{
    for (; n; n--, a++, b++)
        if (*a != *b || !*a)
            return (unsigned char)*a - (unsigned char)*b;
    return 0;
}

int cspr_raw_strcmp(const char *a, const char *b)
{
    return cspr_raw_strncmp(a, b, SIZE_MAX);
}

char *cspr_raw_strchr(const char *s, int c)
{
    for (;; s++) {
        if (*s == (char)c)
            return (char *)(uintptr_t)s;
        if (!*s)
            return NULL;
    }
}

char *cspr_raw_strrchr(const char *s, int c)
{
    const char *last = NULL;
    for (;; s++) {
        if (*s == (char)c)
            last = s;
        if (!*s)
            return (char *)(uintptr_t)last;
    }
}

size_t cspr_raw_strcspn(const char *s, const char *set)
{
    size_t i = 0;
    while (s[i] && !cspr_raw_strchr(set, s[i]))
        i++;
    return i;
}

char *cspr_raw_strcpy(char *dst, const char *src)
{
    return cspr_raw_memcpy(dst, src, cspr_raw_strlen(src) + 1);
}

char *cspr_raw_strncpy(char *dst, const char *src, size_t n)
{
    size_t len = cspr_raw_strnlen(src, n);
    cspr_raw_memcpy(dst, src, len);
    cspr_raw_memset(dst + len, 0, n - len);
    return dst;
}
