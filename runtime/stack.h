// stack.h - coroutine stacks: slots in big mappings, a guard page below each, the descriptor at the top.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_RUNTIME_STACK_H
#define CSP_RUNTIME_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct csp_co csp_co;

#define CSPI_STACK_SIZE ((size_t)64 << 10) // address space of a slot: guard, stack, descriptor
#define CSPI_STACK_GUARD ((size_t)4096)

// Free stacks kept by one worker, without a lock. Zero is empty.
typedef struct cspi_stack_cache {
    csp_co *head;
    unsigned n;
} cspi_stack_cache;

// A free stack's descriptor (state CO_FREE, everything else undefined); cache NULL: from the common list. Out of memory is
// a fatal error.
csp_co *cspi_stack_get(cspi_stack_cache *cache);
// Gives a stack back, which nobody runs on any more.
void cspi_stack_put(cspi_stack_cache *cache, csp_co *co);

// The usable part, below the descriptor.
void *cspi_stack_lo(const csp_co *co);
void *cspi_stack_hi(const csp_co *co);

// The coroutine whose guard page contains addr, or NULL. Signal-safe.
csp_co *cspi_stack_of_guard(uintptr_t addr);

// Calls fn for every descriptor handed out at least once, until it returns false; under the stack lock, or, for signal
// handlers, without (lock false): then stacks handed out meanwhile may be missed.
void cspi_stack_each(bool (*fn)(csp_co *co, void *arg), void *arg, bool lock);

// Address space of all slabs.
size_t cspi_stack_mapped(void);

// A stack of `size` bytes above a guard page for the runtime's own use; never freed. Returns its lowest usable byte.
void *cspi_stack_map_own(size_t size);

// fork: nobody else holds the lock while the child is made.
void cspi_stack_fork_lock(void);
void cspi_stack_fork_unlock(void);

// Makes guards with mprotect, as on kernels without MADV_GUARD_INSTALL.
void cspi_stack_no_guard_install_for_test(void);

#ifdef __cplusplus
}
#endif
#endif
