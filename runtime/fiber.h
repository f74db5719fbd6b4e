// fiber.h - tells AddressSanitizer of every switch of stacks, when the program is built with it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ASan keeps the bounds of the stack each thread runs on and a "fake stack" for locals; both have to be changed with the
// stack. Its functions are weak here, so that one libcsp.a serves programs with and without it. Each switch is announced on
// the side that leaves and confirmed on the side that goes on; confirming also tells the bounds of the stack that was left,
// which is how we learn those of the threads' own stacks. The detector's runtime does without: the two exclude each other.
#ifndef CSP_RUNTIME_FIBER_H
#define CSP_RUNTIME_FIBER_H

#include <stdbool.h>
#include <stddef.h>

// What a flow that can be switched to brings along.
typedef struct cspi_fiber {
    void *fake_stack;
    const void *lo; // NULL: not known before it is first left
    size_t size;
} cspi_fiber;

#if CSP_HOOKS

static inline bool cspi_fiber_announced(void)
{
    return false;
}
#define cspi_fiber_leave(from, to) ((void)(from), (void)(to))
#define cspi_fiber_arrive(here, left) ((void)(here), (void)(left))
#define cspi_fiber_forget_stack(lo, size) ((void)(lo), (void)(size))

#else

__attribute__((weak)) void __sanitizer_start_switch_fiber(void **fake_stack, const void *lo, size_t size);
__attribute__((weak)) void __sanitizer_finish_switch_fiber(void *fake_stack, const void **old_lo, size_t *old_size);
__attribute__((weak)) void __asan_unpoison_memory_region(const volatile void *lo, size_t size);

// Switches are announced at all.
static inline bool cspi_fiber_announced(void)
{
    return __sanitizer_start_switch_fiber != NULL;
}

// Right before the switch. from NULL: the flow ends here, and what ASan keeps for it goes.
static inline void cspi_fiber_leave(cspi_fiber *from, const cspi_fiber *to)
{
    if (cspi_fiber_announced())
        __sanitizer_start_switch_fiber(from ? &from->fake_stack : NULL, to->lo, to->size);
}

// Right after it, on the other stack; left is the flow that was switched from.
static inline void cspi_fiber_arrive(const cspi_fiber *here, cspi_fiber *left)
{
    if (!cspi_fiber_announced())
        return;
    const void *lo;
    size_t size;
    __sanitizer_finish_switch_fiber(here->fake_stack, &lo, &size);
    if (left) {
        left->lo = lo;
        left->size = size;
    }
}

// A stack is used again: frames that never returned (csp_exit) left their marks on it.
static inline void cspi_fiber_forget_stack(void *lo, size_t size)
{
    if (__asan_unpoison_memory_region)
        __asan_unpoison_memory_region(lo, size);
}

#endif
#endif
