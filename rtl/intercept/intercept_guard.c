// intercept_guard.c - the guards of C++'s local statics: under a controlled schedule a task that finds one being made waits for it here.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The C++ runtime would block the thread that has the turn, or take two coroutines of one thread for one. Without control its own
// functions are called; where it is linked statically ours stand in for them, by the Itanium ABI: the first byte of the guard says
// "made", the second "being made", the third that somebody waits. The order they give is told by the pass: cxx.c.
#include "control/control_libc.h"

#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MADE = 1, PENDING = 1 << 8, WAITED = 1 << 16 };

CSPR_INTERCEPTOR int __cxa_guard_acquire(uint64_t *guard);
CSPR_INTERCEPTOR void __cxa_guard_release(uint64_t *guard);
CSPR_INTERCEPTOR void __cxa_guard_abort(uint64_t *guard);

static bool is_controlled(void)
{
    return CSPR_UNLIKELY(cspr_controlled) && cspr_is_program();
}

// --- as the C++ runtime does it -----------------------------------------------------------------------------------------------------

static int acquire_alone(uint32_t *word)
{
    for (;;) {
        uint32_t seen = 0;
        // acquire: pairs with the release in end_alone, what the initialiser wrote
        if (__atomic_compare_exchange_n(word, &seen, PENDING, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
            return 1;
        if (seen == MADE)
            return 0;
        // relaxed: the word says all; who ends it looks at it again
        if (seen == PENDING &&
            !__atomic_compare_exchange_n(word, &seen, PENDING | WAITED, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
            continue;
        syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, PENDING | WAITED, NULL);
    }
}

static void end_alone(uint32_t *word, uint32_t value)
{
    // release: pairs with acquire_alone and with the compiler's own look at the first byte
    if (__atomic_exchange_n(word, value, __ATOMIC_ACQ_REL) & WAITED)
        syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX);
}

// --- the functions -------------------------------------------------------------------------------------------------------------------

int __cxa_guard_acquire(uint64_t *guard)
{
    uint32_t *word = (uint32_t *)guard;
    if (!is_controlled())
        return cspr_real___cxa_guard_acquire ? cspr_real___cxa_guard_acquire(guard) : acquire_alone(word);
    CSPR_FRAME();
    cspr_control_point(CSP_OP_ONCE, guard);
    while (__atomic_load_n(word, __ATOMIC_RELAXED) & PENDING) // relaxed: whoever has the turn wrote it
        cspr_control_await(CSP_OP_ONCE, guard, INT64_MAX);
    return acquire_alone(word);
}

static void end_controlled(uint64_t *guard, uint32_t value)
{
    end_alone((uint32_t *)guard, value);
    cspr_control_wake(guard, UINT_MAX);
}

void __cxa_guard_release(uint64_t *guard)
{
    if (is_controlled())
        end_controlled(guard, MADE);
    else if (cspr_real___cxa_guard_release)
        cspr_real___cxa_guard_release(guard);
    else
        end_alone((uint32_t *)guard, MADE);
}

void __cxa_guard_abort(uint64_t *guard)
{
    if (is_controlled())
        end_controlled(guard, 0);
    else if (cspr_real___cxa_guard_abort)
        cspr_real___cxa_guard_abort(guard);
    else
        end_alone((uint32_t *)guard, 0);
}
