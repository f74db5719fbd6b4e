// lock.h - a small mutual-exclusion lock for the runtime's own short critical sections; blocks the OS thread.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Zero is unlocked. It may be released by another thread than took it: cspi_park hands its lock to the scheduler's stack.
// No coroutine parks, and no program code runs, with one held. Never an order for the detector (it sees no hook).
// States: 0 free, 1 held, 2 held and somebody may sleep on the futex.
#ifndef CSP_RUNTIME_BASE_LOCK_H
#define CSP_RUNTIME_BASE_LOCK_H

#include "atomic.h"
#include "futex.h"

typedef struct cspi_lock {
    uint32_t state;
} cspi_lock;

static inline bool cspi_lock_try(cspi_lock *l)
{
    uint32_t free_state = 0;
    return csp_cas_acq(&l->state, &free_state, 1u);
}

__attribute__((noinline, cold, unused)) static void cspi_lock_acquire_slow(cspi_lock *l)
{
    // Holders keep it for well under a microsecond: spinning that long beats a system call.
    for (int i = 0; i < 40; i++) {
        csp_cpu_relax();
        if (csp_load_rlx(&l->state) == 0 && cspi_lock_try(l)) // relaxed: only a hint, the try acquires
            return;
    }
    // From here on we may sleep, so whoever releases must wake: the state we leave behind is 2, even if nobody else waits.
    while (csp_xchg_acq(&l->state, 2u) != 0)
        cspi_futex_wait(&l->state, 2, CSPI_FOREVER);
}

static inline void cspi_lock_acquire(cspi_lock *l)
{
    if (__builtin_expect(!cspi_lock_try(l), 0))
        cspi_lock_acquire_slow(l);
}

static inline void cspi_lock_release(cspi_lock *l)
{
    // After the exchange the lock may be freed by its next owner; the wake then only names an address.
    if (__builtin_expect(csp_xchg_rel(&l->state, 0u) == 2, 0))
        cspi_futex_wake(&l->state, 1);
}

#endif
