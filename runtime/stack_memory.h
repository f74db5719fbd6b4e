// stack_memory.h - what stacks ask of the kernel: mappings, guards, pages before they are touched, pages back; many at once.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_RUNTIME_STACK_MEMORY_H
#define CSP_RUNTIME_STACK_MEMORY_H

#include <stddef.h>

#define CSPI_MEMORY_PAGE ((size_t)4096)
#define CSPI_MEMORY_BATCH 64u

// Zeroed memory that is committed page by page as it is touched; NULL: no address space.
void *cspi_memory_map(size_t size);
// Makes the `size` bytes at each of the n addresses fault. When the kernel refuses: says so once, and does nothing from then on.
void cspi_memory_guard(char *const *at, unsigned n, size_t size);
// Commits the `size` bytes at at[i] + offset. A hint: what is not committed now will be when it is touched.
void cspi_memory_populate(char *const *at, unsigned n, size_t offset, size_t size);
// Gives the `size` bytes at each address back to the system; they read as zero afterwards. Guards stay.
void cspi_memory_give_back(char *const *at, unsigned n, size_t size);

#endif
