// intercept_malloc.c - malloc and friends: the program's blocks are checked and remembered (rule A8).
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// libc calls them too: what it allocates for itself (streams, locales, resolver and loader tables) passes from thread to thread
// under locks of its own. Frees are checked all the same, so that freeaddrinfo, fclose, ... meet the program's accesses; but not
// the loader's, which frees an ended thread's thread-locals when it likes, in whichever thread.
// These are called from the first instructions of ld.so on, long before cspr_init: until it has run they are libc's.
#include "deadlock/misuse.h"
#include "shadow/heap.h"
#include "support/libc.h"

#include <errno.h>
#include <malloc.h>
#include <string.h>
#include <unistd.h>

void *__libc_realloc(void *p, size_t size);

// The stack to record an allocation with, 0 when this one is not the program's business. After CSPR_FRAME().
#define STACK_IF_RECORDED() (CSPR_UNLIKELY(!cspr_ready || cspr_bypass()) ? 0 : note_call(CSPR_STACK()))

// A handler may have interrupted libc's allocator, or the program between two steps that belong together.
static inline cspr_stack note_call(cspr_stack stack)
{
    if (CSPR_UNLIKELY(cspr_handler_frame && cspr_in_handler()))
        cspr_report_misuse(CSPR_SIGNAL_UNSAFE, NULL, stack, 0);
    return stack;
}

#define IS_FOREIGN() cspr_pc_is_libc((uintptr_t)__builtin_return_address(0))
#define IS_LOADER() cspr_pc_is_loader((uintptr_t)__builtin_return_address(0))

static bool is_power_of_two(size_t n)
{
    return n && !(n & (n - 1));
}

CSPR_INTERCEPTOR void *malloc(size_t size)
{
    CSPR_FRAME();
    return cspr_heap_new(1, size, false, STACK_IF_RECORDED(), IS_FOREIGN());
}

CSPR_INTERCEPTOR void *calloc(size_t n, size_t size)
{
    CSPR_FRAME();
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return cspr_heap_new(1, bytes, true, STACK_IF_RECORDED(), IS_FOREIGN());
}

CSPR_INTERCEPTOR void free(void *p)
{
    CSPR_FRAME();
    int saved = errno;
    if (p)
        cspr_heap_delete(p, IS_LOADER() ? 0 : STACK_IF_RECORDED());
    errno = saved;
}

CSPR_INTERCEPTOR void cfree(void *p)
{
    CSPR_FRAME();
    if (p)
        cspr_heap_delete(p, STACK_IF_RECORDED());
}

// A new block, a copy, and the old one freed: that is what the program may rely on, and what is recorded.
static void *change_size(void *p, size_t size, cspr_stack stack, bool is_foreign)
{
    if (!cspr_heap_is_ours(p))
        return __libc_realloc(p, size);
    void *bigger = cspr_heap_new(1, size, false, stack, is_foreign);
    if (!bigger)
        return NULL;
    size_t old = cspr_heap_size(p);
    memcpy(bigger, p, old < size ? old : size);
    cspr_heap_delete(p, stack);
    return bigger;
}

CSPR_INTERCEPTOR void *realloc(void *p, size_t size)
{
    CSPR_FRAME();
    cspr_stack stack = STACK_IF_RECORDED();
    if (!p)
        return cspr_heap_new(1, size, false, stack, IS_FOREIGN());
    if (size)
        return change_size(p, size, stack, IS_FOREIGN());
    cspr_heap_delete(p, stack); // as glibc does
    return NULL;
}

CSPR_INTERCEPTOR void *reallocarray(void *p, size_t n, size_t size)
{
    CSPR_FRAME();
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    cspr_stack stack = STACK_IF_RECORDED();
    if (!p)
        return cspr_heap_new(1, bytes, false, stack, IS_FOREIGN());
    if (bytes)
        return change_size(p, bytes, stack, IS_FOREIGN());
    cspr_heap_delete(p, stack);
    return NULL;
}

CSPR_INTERCEPTOR void *memalign(size_t alignment, size_t size)
{
    CSPR_FRAME();
    while (!is_power_of_two(alignment)) // glibc rounds up
        alignment = alignment ? (alignment | (alignment - 1)) + 1 : 1;
    return cspr_heap_new(alignment, size, false, STACK_IF_RECORDED(), IS_FOREIGN());
}

CSPR_INTERCEPTOR void *aligned_alloc(size_t alignment, size_t size)
{
    CSPR_FRAME();
    if (!is_power_of_two(alignment)) {
        errno = EINVAL;
        return NULL;
    }
    return cspr_heap_new(alignment, size, false, STACK_IF_RECORDED(), IS_FOREIGN());
}

CSPR_INTERCEPTOR int posix_memalign(void **out, size_t alignment, size_t size)
{
    CSPR_FRAME();
    if (!is_power_of_two(alignment) || alignment % sizeof(void *))
        return EINVAL;
    int saved = errno;
    void *p = cspr_heap_new(alignment, size, false, STACK_IF_RECORDED(), IS_FOREIGN());
    errno = saved;
    if (!p)
        return ENOMEM;
    *out = p;
    return 0;
}

CSPR_INTERCEPTOR void *valloc(size_t size)
{
    CSPR_FRAME();
    return cspr_heap_new((size_t)getpagesize(), size, false, STACK_IF_RECORDED(), IS_FOREIGN());
}

CSPR_INTERCEPTOR void *pvalloc(size_t size)
{
    CSPR_FRAME();
    size_t page = (size_t)getpagesize();
    if (size > SIZE_MAX - page) {
        errno = ENOMEM;
        return NULL;
    }
    return cspr_heap_new(page, (size + page - 1) & ~(page - 1), false, STACK_IF_RECORDED(), IS_FOREIGN());
}

CSPR_INTERCEPTOR size_t malloc_usable_size(void *p)
{
    static size_t (*real)(void *);
    if (!p)
        return 0;
    if (cspr_heap_is_ours(p))
        return cspr_heap_size(p);
    if (!real)
        real = (size_t (*)(void *))cspr_find_real("malloc_usable_size", NULL);
    return real(p);
}
