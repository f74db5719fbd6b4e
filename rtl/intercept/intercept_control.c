// intercept_control.c - library functions that tell the detector nothing, but that a controlled schedule must know of.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Without control they lead to libc's own. See: control_libc.h
#include "control/control_libc.h"
#include "support/modules.h"

#include <sys/syscall.h>
#include <unistd.h>

static void find_libc(void *known)
{
    if (CSPR_UNLIKELY(!known)) // a library's constructor that ran before us
        cspr_intercept_init();
}

#define PASSES(ret, name, params, args)                                                                                \
    CSPR_INTERCEPTOR ret name params                                                                                   \
    {                                                                                                                  \
        find_libc(*(void **)&cspr_real_##name);                                                                        \
        CSPR_FRAME();                                                                                                  \
        return cspr_real_##name args;                                                                                  \
    }
#define PASSES_VOID(name, params, args)                                                                                \
    CSPR_INTERCEPTOR void name params                                                                                  \
    {                                                                                                                  \
        find_libc(*(void **)&cspr_real_##name);                                                                        \
        CSPR_FRAME();                                                                                                  \
        cspr_real_##name args;                                                                                         \
    }

// The program's own; the runtime's spinning is not.
CSPR_INTERCEPTOR int sched_yield(void)
{
    if (!cspr_controlled || cspr_pc_is_ours((uintptr_t)__builtin_return_address(0)))
        return (int)syscall(SYS_sched_yield);
    CSPR_FRAME();
    return cspr_real_sched_yield();
}
PASSES_VOID(thrd_yield, (void), ())

// --- conditions ----------------------------------------------------------------------------------------------------------------------

PASSES(int, pthread_cond_signal, (pthread_cond_t * c), (c))
PASSES(int, pthread_cond_broadcast, (pthread_cond_t * c), (c))
PASSES(int, cnd_signal, (cnd_t * c), (c))
PASSES(int, cnd_broadcast, (cnd_t * c), (c))

// --- threads --------------------------------------------------------------------------------------------------------------------------

PASSES(int, pthread_cancel, (pthread_t thread), (thread))
PASSES_VOID(pthread_testcancel, (void), ())
PASSES(int, pthread_setcanceltype, (int type, int *old), (type, old))

// --- time -------------------------------------------------------------------------------------------------------------------------------

PASSES(unsigned, sleep, (unsigned seconds), (seconds))
PASSES(int, usleep, (useconds_t us), (us))
PASSES(int, thrd_sleep, (const struct timespec *t, struct timespec *rest), (t, rest))
PASSES(clock_t, clock, (void), ())
PASSES(unsigned, alarm, (unsigned seconds), (seconds))

// --- random numbers ----------------------------------------------------------------------------------------------------------------------

PASSES(uint32_t, arc4random, (void), ())
PASSES(uint32_t, arc4random_uniform, (uint32_t n), (n))
PASSES_VOID(arc4random_buf, (void *out, size_t n), (out, n))

// std::random_device, which has them from the processor. Linked statically, libstdc++'s own may not be there.
CSPR_INTERCEPTOR unsigned _ZNSt13random_device9_M_getvalEv(void *device);
CSPR_INTERCEPTOR unsigned _ZNSt13random_device9_M_getvalEv(void *device)
{
    unsigned bits = 0;
    if (cspr_real__ZNSt13random_device9_M_getvalEv)
        return cspr_real__ZNSt13random_device9_M_getvalEv(device);
    if (getrandom(&bits, sizeof bits, 0) != sizeof bits)
        abort();
    return bits;
}

// --- signals and processes ---------------------------------------------------------------------------------------------------------------

PASSES(int, kill, (pid_t pid, int sig), (pid, sig))
PASSES(int, raise, (int sig), (sig))
PASSES(int, pthread_kill, (pthread_t thread, int sig), (thread, sig))
PASSES(int, sigqueue, (pid_t pid, int sig, const union sigval value), (pid, sig, value))
PASSES(int, sigsuspend, (const sigset_t *mask), (mask))
PASSES(int, pause, (void), ())
PASSES(int, waitid, (idtype_t type, id_t id, siginfo_t *info, int options), (type, id, info, options))
