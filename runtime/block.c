// block.c - Clang's blocks without their runtime library: what the compiler emits calls of, and csp_go_block.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A block literal is a structure on its function's stack: class, flags, function, descriptor, captured values. To outlive the
// function it is copied to the heap; `__block` variables then move to the heap too, once, and the old place points there
// (`forwarding`), so that the function and all blocks share one. Layout and flags: Clang's "Block Implementation
// Specification"; counts are kept as Apple's and LLVM's libraries do, so that copies made by either may be released by both.
// All names are weak: a program that links a blocks library has that one's.
#include "csp/go.h"
#include "hooks.h"
#include "panic.h"
#include "sched.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_MASK 0xfffeu // in steps of 2
#define COUNT_ONE 2
#define NEEDS_FREE (1 << 24)
#define HAS_COPY_DISPOSE (1 << 25)
#define IS_GLOBAL (1 << 28)

enum { FIELD_IS_BLOCK = 7, FIELD_IS_BYREF = 8 };

struct descriptor {
    unsigned long reserved, size;
    void (*copy)(void *to, const void *from);
    void (*dispose)(const void *literal);
};

struct literal {
    void *class;
    int flags; // atomic while counted
    int reserved;
    void (*invoke)(void *literal);
    struct descriptor *descriptor;
};

struct byref {
    void *class;
    struct byref *forwarding;
    int flags; // atomic while counted
    int size;
    void (*keep)(struct byref *to, struct byref *from); // with HAS_COPY_DISPOSE
    void (*destroy)(struct byref *);
};

#define WEAK __attribute__((weak, visibility("default")))

WEAK void *_NSConcreteStackBlock[32], *_NSConcreteGlobalBlock[32], *_NSConcreteMallocBlock[32];
WEAK void *_Block_copy(const void *block);
WEAK void _Block_release(const void *block);
WEAK void _Block_object_assign(void *to, const void *object, int kind);
WEAK void _Block_object_dispose(const void *object, int kind);

static void *copy_bytes(const void *from, size_t size)
{
    void *to = malloc(size);
    if (!to)
        cspi_fatal("out of memory: no room for a block");
    return memcpy(to, from, size);
}

static void count_up(int *flags)
{
    __atomic_fetch_add(flags, COUNT_ONE, __ATOMIC_RELAXED); // relaxed: the caller holds a reference
}

// True: that was the last. Acquire-release: who frees comes after all that the others did with it; the detector is told.
static bool count_down(int *flags)
{
    CSP_HOOK(release_merge, flags, NULL);
    if ((__atomic_sub_fetch(flags, COUNT_ONE, __ATOMIC_ACQ_REL) & COUNT_MASK) != 0)
        return false;
    CSP_HOOK(acquire, flags, NULL);
    return true;
}

void *_Block_copy(const void *block)
{
    struct literal *from = (struct literal *)block;
    if (!from || from->flags & IS_GLOBAL)
        return from;
    if (from->flags & NEEDS_FREE) {
        count_up(&from->flags);
        return from;
    }
    struct literal *to = copy_bytes(from, from->descriptor->size);
    to->class = _NSConcreteMallocBlock;
    to->flags = (from->flags & ~(int)COUNT_MASK) | NEEDS_FREE | COUNT_ONE;
    if (to->flags & HAS_COPY_DISPOSE)
        to->descriptor->copy(to, from);
    return to;
}

void _Block_release(const void *block)
{
    struct literal *b = (struct literal *)block;
    if (!b || !(b->flags & NEEDS_FREE) || !count_down(&b->flags))
        return;
    if (b->flags & HAS_COPY_DISPOSE)
        b->descriptor->dispose(b);
    free(b);
}

// The variable's place on the heap. It is counted for the function it was in, which disposes of it too, and for the block.
static struct byref *move_byref(struct byref *from)
{
    struct byref *here = from->forwarding;
    if (here->flags & NEEDS_FREE) {
        count_up(&here->flags);
        return here;
    }
    struct byref *to = copy_bytes(from, (size_t)from->size);
    to->flags = from->flags | NEEDS_FREE | 2 * COUNT_ONE;
    to->forwarding = to;
    from->forwarding = to;
    if (from->flags & HAS_COPY_DISPOSE)
        from->keep(to, from);
    return to;
}

static void release_byref(struct byref *b)
{
    b = b->forwarding;
    if (!(b->flags & NEEDS_FREE) || !count_down(&b->flags))
        return;
    if (b->flags & HAS_COPY_DISPOSE)
        b->destroy(b);
    free(b);
}

void _Block_object_assign(void *to, const void *object, int kind)
{
    void **place = to;
    if (kind & FIELD_IS_BYREF)
        *place = move_byref((struct byref *)object);
    else if (kind == FIELD_IS_BLOCK)
        *place = _Block_copy(object);
    else // in C: a __block variable's own block, which the variable does not own
        *place = (void *)object;
}

void _Block_object_dispose(const void *object, int kind)
{
    if (kind & FIELD_IS_BYREF)
        release_byref((struct byref *)object);
    else if (kind == FIELD_IS_BLOCK)
        _Block_release(object);
}

static void run(void *block)
{
    struct literal *b = block;
    b->invoke(b);
    _Block_release(b);
}

void csp_go_block_copy(const void *block)
{
    CSPI_FRAME();
    const csp_site *site = CSP_HOOK_VALUE(take_site, NULL);
    cspi_go_at(run, _Block_copy(block), site, __builtin_return_address(0));
}
