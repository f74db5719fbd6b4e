// lock.h - the detector's own lock: spins briefly, then gives the processor away. No libc state, usable before main.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Critical sections under it are tens of instructions and never call out (rule G2), so a waiter seldom spins long; a holder
// that was descheduled is waited for with sched_yield.
#ifndef CSP_RTL_LOCK_H
#define CSP_RTL_LOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>

extern long syscall(long number, ...) __attribute__((nothrow)); // unistd.h has names that our files use, too

typedef struct cspr_lock {
    uint32_t held;
} cspr_lock;

// One turn of waiting for somebody who is inside a short section.
static inline void cspr_spin_turn(unsigned *turns)
{
    if (++*turns < 64)
        __builtin_ia32_pause();
    else
        syscall(SYS_sched_yield); // not the program's, as control_thread.c has it
}

static inline void cspr_lock_acquire(cspr_lock *l)
{
    unsigned turns = 0;
    // Acquire: pairs with the release in cspr_lock_release, carries what the last holder wrote.
    while (__atomic_exchange_n(&l->held, 1, __ATOMIC_ACQUIRE))
        while (__atomic_load_n(&l->held, __ATOMIC_RELAXED)) // relaxed: only a hint to try again
            cspr_spin_turn(&turns);
}

// True: it was free, and is the caller's now. Acquire: as above.
static inline bool cspr_lock_try(cspr_lock *l)
{
    return !__atomic_exchange_n(&l->held, 1, __ATOMIC_ACQUIRE);
}

static inline void cspr_lock_release(cspr_lock *l)
{
    __atomic_store_n(&l->held, 0, __ATOMIC_RELEASE);
}

// For fork: takes or gives back a lock on behalf of the whole process.
static inline void cspr_lock_for_fork(cspr_lock *l, bool take)
{
    if (take)
        cspr_lock_acquire(l);
    else
        cspr_lock_release(l);
}

#endif
