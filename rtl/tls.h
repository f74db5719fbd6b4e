// tls.h - whether an address is a thread-local of the running OS thread.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Coroutines that run on one worker share its thread-locals, one after the other: an OS thread's accesses to its own block
// are ordered by that thread, whichever tasks make them, through whatever pointer. Such accesses are tagged (depot.h), and
// two tagged ones never conflict: they were made by the one thread whose address it is. A tagged one and one from another
// OS thread do, as ever. Thread-locals of libraries loaded by dlopen lie elsewhere and are not recognized.
#ifndef CSP_RTL_TLS_H
#define CSP_RTL_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

extern size_t cspr_tls_size; // of the static block below the thread pointer, alike in all threads

void cspr_tls_init(void);

static inline bool cspr_in_own_tls(uintptr_t addr)
{
    return (uintptr_t)__builtin_thread_pointer() - 1 - addr < cspr_tls_size;
}

#endif
