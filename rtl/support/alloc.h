// alloc.h - the detector's memory: straight from mmap, never from the program's malloc (ground rule R1).
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_RTL_ALLOC_H
#define CSP_RTL_ALLOC_H

#include <stdbool.h>
#include <stddef.h>

// Zeroed memory, 16-byte aligned. Thread-safe, never NULL: out of memory ends the process. Preserves errno.
void *cspr_alloc(size_t size);
// Gives memory of cspr_alloc back; `size` is what was asked for. NULL: nothing.
void cspr_free(void *p, size_t size);
// A table that is committed by touching it: zeroed, for the life of the process. Preserves errno.
void *cspr_reserve(size_t size);
// The calling thread's spare blocks go back: it will have no more.
void cspr_alloc_thread_ends(void);
// Holds all of the allocator still while the process forks (shadow.c).
void cspr_alloc_fork_lock(bool take);

#endif
