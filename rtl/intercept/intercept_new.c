// intercept_new.c - C++'s operator new and delete: stacks of blocks then show where the program said `new`.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// libstdc++'s own would call our malloc from a frame without a record, and the program's place would be lost. When memory runs
// out, libstdc++'s is called after all: it knows about new handlers and std::bad_alloc. Written in C, by mangled names, since
// the detector must not need libstdc++.
#include "shadow/heap.h"
#include "support/libc.h"

#define STACK_IF_RECORDED() (CSPR_UNLIKELY(!cspr_ready || cspr_bypass()) ? 0 : CSPR_STACK())

static void *run_out(const char *name, size_t size, size_t alignment)
{
    void *(*real)(size_t, size_t) = (void *(*)(size_t, size_t))cspr_find_real(name, NULL);
    if (!real)
        cspr_die("out of memory: operator new of %zu bytes", size);
    return real(size, alignment);
}

// Itanium mangling: nw new, na new[], dl delete, da delete[]; m size_t, Pv void *, St11align_val_t alignment.
#define NEW(symbol)                                                                                                    \
    CSPR_INTERCEPTOR void *symbol(size_t size);                                                                        \
    CSPR_INTERCEPTOR void *symbol(size_t size)                                                                         \
    {                                                                                                                  \
        CSPR_FRAME();                                                                                                  \
        void *p = cspr_heap_new(1, size, false, STACK_IF_RECORDED(), false);                                           \
        return p ? p : run_out(#symbol, size, 0);                                                                      \
    }
#define NEW_ALIGNED(symbol)                                                                                            \
    CSPR_INTERCEPTOR void *symbol(size_t size, size_t alignment);                                                      \
    CSPR_INTERCEPTOR void *symbol(size_t size, size_t alignment)                                                       \
    {                                                                                                                  \
        CSPR_FRAME();                                                                                                  \
        void *p = cspr_heap_new(alignment, size, false, STACK_IF_RECORDED(), false);                                   \
        return p ? p : run_out(#symbol, size, alignment);                                                              \
    }
#define NEW_NOTHROW(symbol)                                                                                            \
    CSPR_INTERCEPTOR void *symbol(size_t size, const void *nothrow);                                                   \
    CSPR_INTERCEPTOR void *symbol(size_t size, const void *nothrow)                                                    \
    {                                                                                                                  \
        (void)nothrow;                                                                                                 \
        CSPR_FRAME();                                                                                                  \
        return cspr_heap_new(1, size, false, STACK_IF_RECORDED(), false);                                              \
    }
#define NEW_ALIGNED_NOTHROW(symbol)                                                                                    \
    CSPR_INTERCEPTOR void *symbol(size_t size, size_t alignment, const void *nothrow);                                 \
    CSPR_INTERCEPTOR void *symbol(size_t size, size_t alignment, const void *nothrow)                                  \
    {                                                                                                                  \
        (void)nothrow;                                                                                                 \
        CSPR_FRAME();                                                                                                  \
        return cspr_heap_new(alignment, size, false, STACK_IF_RECORDED(), false);                                      \
    }
// What follows the pointer (size, alignment, nothrow) does not matter: the block knows.
#define DELETE(symbol)                                                                                                 \
    CSPR_INTERCEPTOR void symbol(void *p);                                                                             \
    CSPR_INTERCEPTOR void symbol(void *p)                                                                              \
    {                                                                                                                  \
        CSPR_FRAME();                                                                                                  \
        if (p)                                                                                                         \
            cspr_heap_delete(p, STACK_IF_RECORDED());                                                                  \
    }

NEW(_Znwm)
NEW(_Znam)
NEW_ALIGNED(_ZnwmSt11align_val_t)
NEW_ALIGNED(_ZnamSt11align_val_t)
NEW_NOTHROW(_ZnwmRKSt9nothrow_t)
NEW_NOTHROW(_ZnamRKSt9nothrow_t)
NEW_ALIGNED_NOTHROW(_ZnwmSt11align_val_tRKSt9nothrow_t)
NEW_ALIGNED_NOTHROW(_ZnamSt11align_val_tRKSt9nothrow_t)
DELETE(_ZdlPv)
DELETE(_ZdaPv)
DELETE(_ZdlPvm)
DELETE(_ZdaPvm)
DELETE(_ZdlPvSt11align_val_t)
DELETE(_ZdaPvSt11align_val_t)
DELETE(_ZdlPvmSt11align_val_t)
DELETE(_ZdaPvmSt11align_val_t)
DELETE(_ZdlPvRKSt9nothrow_t)
DELETE(_ZdaPvRKSt9nothrow_t)
DELETE(_ZdlPvSt11align_val_tRKSt9nothrow_t)
DELETE(_ZdaPvSt11align_val_tRKSt9nothrow_t)
