// intercept_syscall.c - syscall(2) under a controlled schedule: futexes, by which libstdc++ and programs wait without pthreads.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Without control it is what libc's is, to the instruction: its callers may be anywhere, and our own files call it from the first
// moment on. Under control futexes wait and wake by the schedule; requeueing and priority inheritance are left to the kernel, which
// the run says. The detector is told nothing: the order comes from the atomic accesses around it.
#include "control/control_libc.h"
#include "support/modules.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>

CSPR_INTERCEPTOR long syscall(long number, ...);
long cspr_syscall_controlled(long number, long a, long b, long c, long d, long e, long f);
long cspr_syscall_failed(long minus_error);

// As libc's.
__attribute__((naked)) static long call_kernel(long number, long a, long b, long c, long d, long e, long f)
{
    __asm__("mov %rdi, %rax\n\t"
            "mov %rsi, %rdi\n\t"
            "mov %rdx, %rsi\n\t"
            "mov %rcx, %rdx\n\t"
            "mov %r8, %r10\n\t"
            "mov %r9, %r8\n\t"
            "mov 8(%rsp), %r9\n\t"
            "syscall\n\t"
            "cmp $-4095, %rax\n\t"
            "jae 1f\n\t"
            "ret\n"
            "1:\tmov %rax, %rdi\n\t"
            "jmp cspr_syscall_failed");
}

__attribute__((naked)) long syscall(long number, ...)
{
    __asm__("cmpb $0, cspr_controlled(%%rip)\n\t"
            "jne cspr_syscall_controlled\n\t"
            "jmp %P0"
            :
            : "i"(call_kernel));
}

long cspr_syscall_failed(long minus_error)
{
    errno = (int)-minus_error;
    return -1;
}

// --- futexes --------------------------------------------------------------------------------------------------------------------------

static int64_t limit_of(int op, const struct timespec *t)
{
    if (!t)
        return INT64_MAX;
    if ((op & FUTEX_CMD_MASK) == FUTEX_WAIT)
        return cspr_control_after(t);
    return cspr_control_instant(op & FUTEX_CLOCK_REALTIME ? CLOCK_REALTIME : CLOCK_MONOTONIC, t);
}

static long wait_on(const uint32_t *word, int op, uint32_t expected, const struct timespec *t)
{
    if (t && (t->tv_sec < 0 || !cspr_is_instant(t)))
        return cspr_syscall_failed(-EINVAL);
    cspr_control_point(CSP_OP_COND_WAIT, word);
    if (__atomic_load_n(word, __ATOMIC_RELAXED) != expected) // relaxed: nobody else runs
        return cspr_syscall_failed(-EAGAIN);
    bool woken = cspr_control_await(CSP_OP_COND_WAIT, word, limit_of(op, t));
    if (!woken)
        return cspr_syscall_failed(-ETIMEDOUT);
    return cspr_control_was_interrupted(true) ? cspr_syscall_failed(-EINTR) : 0;
}

// Waiters for other bits wake for nothing, as any may.
static long wake_on(const uint32_t *word, uint32_t n, bool all)
{
    long woken = 0;
    cspr_control_point(CSP_OP_SIGNAL, word);
    for (; (all || woken < n) && cspr_control_waits(word); woken++)
        cspr_control_wake(word, 1);
    return woken;
}

static bool is_ours(long number, long op)
{
    if (number != SYS_futex || !cspr_is_program())
        return false;
    switch (op & FUTEX_CMD_MASK) {
    case FUTEX_WAIT:
    case FUTEX_WAIT_BITSET:
    case FUTEX_WAKE:
    case FUTEX_WAKE_BITSET:
        return true;
    default:
        cspr_control_not_replayable("a futex operation of the program's that is the kernel's");
        return false;
    }
}

long cspr_syscall_controlled(long number, long a, long b, long c, long d, long e, long f)
{
    if (CSPR_LIKELY(number != SYS_futex) || cspr_pc_is_ours((uintptr_t)__builtin_return_address(0)) ||
        !is_ours(number, b))
        return call_kernel(number, a, b, c, d, e, f);
    CSPR_FRAME();
    const uint32_t *word = (const uint32_t *)a;
    int op = (int)b & FUTEX_CMD_MASK;
    if (op == FUTEX_WAIT || op == FUTEX_WAIT_BITSET)
        return wait_on(word, (int)b, (uint32_t)c, (const struct timespec *)d);
    long woken = wake_on(word, (uint32_t)c, op == FUTEX_WAKE_BITSET && (uint32_t)f != UINT_MAX);
    long strangers = call_kernel(number, a, b, c, d, e, f);
    return strangers < 0 && !woken ? strangers : woken + (strangers > 0 ? strangers : 0);
}
