// intercept_callback.c - library functions that call back: a frame record says where the program called them.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Without it the stacks of what the callback does would have a hole: libc's own frames keep no records (rule C1).
#include "support/libc.h"

#include <search.h>
#include <stdlib.h>

typedef int compare_fn(const void *, const void *);
typedef int compare_with_fn(const void *, const void *, void *);

// What the function itself does to the array: everything in it may move.
static void write_array(void *base, size_t n, size_t size, cspr_stack stack)
{
    size_t bytes;
    if (stack && !__builtin_mul_overflow(n, size, &bytes) && bytes)
        cspr_access((uintptr_t)base, bytes, true, stack);
}

static void touch(const void *p, size_t n, bool is_write, cspr_stack stack)
{
    if (stack && p && n)
        cspr_access((uintptr_t)p, n, is_write, stack);
}

#define STACK_IF_CHECKED() (cspr_ready && !cspr_bypass() ? CSPR_STACK() : 0)

CSPR_INTERCEPTOR void qsort(void *base, size_t n, size_t size, compare_fn *compare)
{
    CSPR_FRAME();
    write_array(base, n, size, STACK_IF_CHECKED());
    cspr_real_qsort(base, n, size, compare);
}

CSPR_INTERCEPTOR void qsort_r(void *base, size_t n, size_t size, compare_with_fn *compare, void *arg)
{
    CSPR_FRAME();
    write_array(base, n, size, STACK_IF_CHECKED());
    cspr_real_qsort_r(base, n, size, compare, arg);
}

// Under another name in C: glibc's header has an inline definition of bsearch.
CSPR_INTERCEPTOR void *search_array(const void *key, const void *base, size_t n, size_t size,
                                    compare_fn *compare) __asm__("bsearch");
CSPR_INTERCEPTOR void *search_array(const void *key, const void *base, size_t n, size_t size, compare_fn *compare)
{
    CSPR_FRAME();
    return cspr_real_bsearch(key, base, n, size, compare);
}

// The array in lsearch grows by one when the key is not found.
CSPR_INTERCEPTOR void *lfind(const void *key, const void *base, size_t *n, size_t size, compare_fn *compare)
{
    CSPR_FRAME();
    touch(n, sizeof *n, false, STACK_IF_CHECKED());
    return cspr_real_lfind(key, base, n, size, compare);
}

CSPR_INTERCEPTOR void *lsearch(const void *key, void *base, size_t *n, size_t size, compare_fn *compare)
{
    CSPR_FRAME();
    cspr_stack stack = STACK_IF_CHECKED();
    size_t before = *n;
    touch(n, sizeof *n, false, stack);
    void *result = cspr_real_lsearch(key, base, n, size, compare);
    if (*n != before) {
        touch(key, size, false, stack);
        touch(result, size, true, stack);
        touch(n, sizeof *n, true, stack);
    }
    return result;
}

// The nodes are libc's own; the root stands for the tree: it is written by what changes the tree.
CSPR_INTERCEPTOR void *tsearch(const void *key, void **root, compare_fn *compare)
{
    CSPR_FRAME();
    void *result = cspr_real_tsearch(key, root, compare);
    bool is_new = result && *(const void **)result == key;
    touch(root, sizeof *root, is_new, STACK_IF_CHECKED());
    return result;
}

CSPR_INTERCEPTOR void *tfind(const void *key, void *const *root, compare_fn *compare)
{
    CSPR_FRAME();
    touch(root, sizeof *root, false, STACK_IF_CHECKED());
    return cspr_real_tfind(key, root, compare);
}

CSPR_INTERCEPTOR void *tdelete(const void *restrict key, void **restrict root, compare_fn *compare)
{
    CSPR_FRAME();
    void *result = cspr_real_tdelete(key, root, compare);
    touch(root, sizeof *root, result != NULL, STACK_IF_CHECKED());
    return result;
}

CSPR_INTERCEPTOR void twalk(const void *root, void (*action)(const void *, VISIT, int))
{
    CSPR_FRAME();
    cspr_real_twalk(root, action);
}

CSPR_INTERCEPTOR void twalk_r(const void *root, void (*action)(const void *, VISIT, void *), void *arg)
{
    CSPR_FRAME();
    cspr_real_twalk_r(root, action, arg);
}

CSPR_INTERCEPTOR void tdestroy(void *root, void (*free_key)(void *))
{
    CSPR_FRAME();
    cspr_real_tdestroy(root, free_key);
}
