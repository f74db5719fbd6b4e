// atomic.h - atomic operations whose order is in their name, over the compiler's builtins; C and C++.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Plain integers and pointers are used, not _Atomic, so that a word may also be read plainly in a phase or under a lock
// that makes it safe (the site then names which), and so that googletest can include the headers.
#ifndef CSP_RUNTIME_BASE_ATOMIC_H
#define CSP_RUNTIME_BASE_ATOMIC_H

#define csp_load_rlx(p) __atomic_load_n((p), __ATOMIC_RELAXED)
#define csp_load_acq(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define csp_load_seq(p) __atomic_load_n((p), __ATOMIC_SEQ_CST)
#define csp_store_rlx(p, v) __atomic_store_n((p), (v), __ATOMIC_RELAXED)
#define csp_store_rel(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)
#define csp_store_seq(p, v) __atomic_store_n((p), (v), __ATOMIC_SEQ_CST)
#define csp_xchg_acq(p, v) __atomic_exchange_n((p), (v), __ATOMIC_ACQUIRE)
#define csp_xchg_rel(p, v) __atomic_exchange_n((p), (v), __ATOMIC_RELEASE)
#define csp_xchg_acqrel(p, v) __atomic_exchange_n((p), (v), __ATOMIC_ACQ_REL)
#define csp_add_rlx(p, v) __atomic_fetch_add((p), (v), __ATOMIC_RELAXED)
#define csp_or_seq(p, v) __atomic_fetch_or((p), (v), __ATOMIC_SEQ_CST)
#define csp_and_seq(p, v) __atomic_fetch_and((p), (v), __ATOMIC_SEQ_CST)
#define csp_add_seq(p, v) __atomic_fetch_add((p), (v), __ATOMIC_SEQ_CST)
// expected is an lvalue's address; on failure it receives what was there, loaded relaxed.
#define csp_cas_rlx(p, expected, v)                                                                                    \
    __atomic_compare_exchange_n((p), (expected), (v), false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)
#define csp_cas_acq(p, expected, v)                                                                                    \
    __atomic_compare_exchange_n((p), (expected), (v), false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)
#define csp_cas_rel(p, expected, v)                                                                                    \
    __atomic_compare_exchange_n((p), (expected), (v), false, __ATOMIC_RELEASE, __ATOMIC_RELAXED)
#define csp_cas_acqrel(p, expected, v)                                                                                 \
    __atomic_compare_exchange_n((p), (expected), (v), false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)
#define csp_cas_seq(p, expected, v)                                                                                    \
    __atomic_compare_exchange_n((p), (expected), (v), false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)
// On x86-64 any locked instruction is a full fence, and cheaper than the mfence that compilers emit.
#if defined(__x86_64__)
#define csp_fence_seq() __asm__ volatile("lock; orl $0, (%%rsp)" ::: "memory", "cc")
#else
#define csp_fence_seq() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#endif
// x86-64: the compiler's only.
#define csp_fence_acq() __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define csp_fence_rel() __atomic_thread_fence(__ATOMIC_RELEASE)

// In a spin loop: tells the core that we wait for another one.
static inline void csp_cpu_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

#endif
