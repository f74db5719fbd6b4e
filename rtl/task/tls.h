// tls.h - whether an address is a thread-local of the running OS thread.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Coroutines that run on one worker share its thread-locals, one after the other: an OS thread's accesses to its own blocks
// are ordered by that thread, whichever tasks make them, through whatever pointer. Such accesses are tagged (depot.h), and
// two tagged ones never conflict: they were made by the one thread whose address it is. A tagged one and one from another
// OS thread do, as ever.
//   static   below the thread pointer: of the program and what it was started with, alike in all threads
//   dynamic  of libraries loaded by dlopen: a heap block per thread and library, made by the loader at the first use, which we
//            see in __tls_get_addr, and freed by it, in the thread itself or when it is over
#ifndef CSP_RTL_TLS_H
#define CSP_RTL_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

extern size_t cspr_tls_size; // of the static block

// What holds all of the running thread's dynamic blocks, and other memory between them; empty without any.
typedef struct cspr_tls_reach {
    uintptr_t lo;
    size_t size;
} cspr_tls_reach;
extern __thread cspr_tls_reach cspr_tls_dynamic __attribute__((tls_model("initial-exec")));

void cspr_tls_init(void);

// The running thread has a dynamic block of its own there / it has none that starts at lo any more / it ends.
void cspr_tls_add(uintptr_t lo, size_t size);
void cspr_tls_remove(uintptr_t lo);
void cspr_tls_end(void);
bool cspr_in_dynamic_tls(uintptr_t addr);

static inline bool cspr_in_own_tls(uintptr_t addr)
{
    return (uintptr_t)__builtin_thread_pointer() - 1 - addr < cspr_tls_size ||
           (__builtin_expect(addr - cspr_tls_dynamic.lo < cspr_tls_dynamic.size, 0) && cspr_in_dynamic_tls(addr));
}

#endif
