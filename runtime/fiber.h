// fiber.h - tells AddressSanitizer or ThreadSanitizer of every switch of stacks, when the program is built with one.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ASan keeps the bounds of the stack each thread runs on and a "fake stack" for locals; both have to be changed with the
// stack. Its functions are weak here, so that one libcsp.a serves programs with and without it. Each switch is announced on
// the side that leaves and confirmed on the side that goes on; confirming also tells the bounds of the stack that was left,
// which is how we learn those of the threads' own stacks. The detector's runtime does without: they exclude each other.
//
// TSan keeps a clock and a call stack per flow ("fiber"). It is told on the side that leaves, in the same instrumented frame
// as the switch itself, else its entry would be popped from the other flow's call stack: hence always_inline. No order goes
// with a switch (no-sync): two coroutines that merely ran on one thread stay unordered. A fiber is destroyed by who goes on,
// since the current one cannot be.
#ifndef CSP_RUNTIME_FIBER_H
#define CSP_RUNTIME_FIBER_H

#include <stdbool.h>
#include <stddef.h>

// What a flow that can be switched to brings along.
typedef struct cspi_fiber {
    union {
        void *fake_stack; // ASan
        void *flow;       // TSan; NULL: not known before it is first left
    };
    const void *lo; // NULL: not known before it is first left
    size_t size;
} cspi_fiber;

#if CSP_HOOKS

static inline bool cspi_fiber_announced(void)
{
    return false;
}
#define cspi_fiber_leave(from, to, ends) ((void)(from), (void)(to), (void)(ends))
#define cspi_fiber_arrive(here, left) ((void)(here), (void)(left))
#define cspi_fiber_forget_stack(lo, size) ((void)(lo), (void)(size))
__attribute__((weak)) void __tsan_switch_to_fiber(void *flow, unsigned flags); // tsan.c is told by hooks
static inline bool cspi_fiber_under_tsan(void)
{
    return __tsan_switch_to_fiber != NULL;
}
#define cspi_fiber_init(fiber) ((void)(fiber))
#define cspi_fiber_fini(fiber) ((void)(fiber))

#else

__attribute__((weak)) void __sanitizer_start_switch_fiber(void **fake_stack, const void *lo, size_t size);
__attribute__((weak)) void __sanitizer_finish_switch_fiber(void *fake_stack, const void **old_lo, size_t *old_size);
__attribute__((weak)) void __asan_unpoison_memory_region(const volatile void *lo, size_t size);

__attribute__((weak)) void __lsan_register_root_region(const void *lo, size_t size);

__attribute__((weak)) void *__tsan_get_current_fiber(void);
__attribute__((weak)) void *__tsan_create_fiber(unsigned flags);
__attribute__((weak)) void __tsan_destroy_fiber(void *flow);
__attribute__((weak)) void __tsan_switch_to_fiber(void *flow, unsigned flags);
// 1: no order goes with a switch. The runtime's own tests, where it is compiled with TSan too, take 0: there what a worker's
// loop and its coroutines share is TSan's business, and that they take turns on one thread is what makes it safe.
#ifndef CSPI_TSAN_SWITCH_FLAGS
#define CSPI_TSAN_SWITCH_FLAGS 1u
#endif

// Switches are announced at all.
static inline bool cspi_fiber_announced(void)
{
    return __sanitizer_start_switch_fiber != NULL || __tsan_switch_to_fiber != NULL;
}

static inline bool cspi_fiber_under_tsan(void)
{
    return __tsan_switch_to_fiber != NULL;
}

// A flow that has not run yet.
static inline void cspi_fiber_init(cspi_fiber *f)
{
    if (__tsan_create_fiber)
        f->flow = __tsan_create_fiber(0);
}

// It has been left for good.
static inline void cspi_fiber_fini(cspi_fiber *f)
{
    if (__tsan_destroy_fiber)
        __tsan_destroy_fiber(f->flow);
}

// Right before the switch. ends: the flow is never switched to again, and what ASan keeps for it goes.
__attribute__((always_inline)) static inline void cspi_fiber_leave(cspi_fiber *from, const cspi_fiber *to, bool ends)
{
    if (__sanitizer_start_switch_fiber)
        __sanitizer_start_switch_fiber(ends ? NULL : &from->fake_stack, to->lo, to->size);
    if (__tsan_switch_to_fiber) {
        if (!from->flow)
            from->flow = __tsan_get_current_fiber();
        __tsan_switch_to_fiber(to->flow, CSPI_TSAN_SWITCH_FLAGS);
    }
}

// Right after it, on the other stack; left is the flow that was switched from.
static inline void cspi_fiber_arrive(const cspi_fiber *here, cspi_fiber *left)
{
    if (!__sanitizer_start_switch_fiber)
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

// Threads of the tool's own, which never call in.
static inline int cspi_fiber_tool_threads(void)
{
    return cspi_fiber_under_tsan() ? 1 : 0; // its background thread (a forked child may have two)
}

#endif
