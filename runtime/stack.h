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

#define CSPI_STACK_SIZE ((size_t)64 << 10) // of a coroutine that asks for nothing else, its descriptor included
#define CSPI_STACK_MIN ((size_t)16 << 10)
#define CSPI_STACK_MAX ((size_t)1 << 30)
// Below each stack. More than a page, since a frame with an array in it may skip one; together with a stack, whose size is a
// power of two, an odd number of pages: so that the tops of many stacks spread over all sets of the TLB.
#define CSPI_STACK_GUARD ((size_t)20 << 10)

// Free stacks of the usual size kept by one worker, without a lock. Zero is empty.
typedef struct cspi_stack_cache {
    csp_co *head;
    unsigned n;
} cspi_stack_cache;

// A free stack's descriptor (state CO_FREE; but for what stack.c keeps in it, undefined); cache NULL: from the common list.
// Out of memory is a fatal error.
csp_co *cspi_stack_get(cspi_stack_cache *cache);
// The same with a size, which is rounded up to a power of two from CSPI_STACK_MIN to CSPI_STACK_MAX.
csp_co *cspi_stack_get_sized(size_t size);
// Gives a stack back, which nobody runs on any more.
void cspi_stack_put(cspi_stack_cache *cache, csp_co *co);

// Gives some of the memory of stacks that were free for a while back to the system; true: it took some time to do so, and
// there may be more. For workers that have nothing else to do.
bool cspi_stack_trim(void);
// When somebody should call it again; INT64_MAX: not needed.
int64_t cspi_stack_trim_due(void);

// Its size, descriptor included.
size_t cspi_stack_size(const csp_co *co);
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
// Free stacks whose memory was given back.
size_t cspi_stack_cold_for_test(void);

#ifdef __cplusplus
}
#endif
#endif
