// heap.h - the program's heap blocks: malloc and friends over glibc's, each block knowing who allocated it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_RTL_HEAP_H
#define CSP_RTL_HEAP_H

#include "rtl.h"

// A block of `size` bytes at the alignment (a power of two, at least 16); NULL with ENOMEM. `stack` is the allocating
// function's, 0: nothing is recorded, as for memory of our own. is_foreign: a block that libc takes for itself, which orders
// its uses by locks nobody sees; it has no past, and its making is no write.
void *cspr_heap_new(size_t alignment, size_t size, bool zeroed, cspr_stack stack, bool is_foreign);
// False: p is not a block of ours (allocated before start-up, or by libc for itself).
bool cspr_heap_is_ours(const void *p);
size_t cspr_heap_size(const void *p);
// --- all blocks, for the leak check, while nobody allocates or frees; others may miss the newest
// The bitmap of block starts: a bit per 16 bytes of the 44-bit address space.
enum { CSPR_HEAP_GRAIN_BITS = 4, CSPR_HEAP_SPACE_BITS = 44, CSPR_HEAP_AREA_BITS = 16 };
const uint64_t *cspr_heap_starts(void);
// Calls fn with the words of the bitmap for each 64 KiB in which blocks ever started, ascending; first: the first one's index.
void cspr_heap_each_area(void (*fn)(const uint64_t *words, size_t first, void *arg), void *arg);
// What is known of the live block that starts there.
cspr_block cspr_heap_block(uintptr_t start);

// Gives back a block, whoever made it. `stack` as above.
void cspr_heap_delete(void *p, cspr_stack stack);
// The loader's, for a thread's thread-locals: that it is freed is no access.
void cspr_heap_set_tls(void *p);
void cspr_tls_block_freed(const void *start, size_t size); // intercept_tls.c: by the running thread, whosever it was

#endif
