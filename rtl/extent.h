// extent.h - large heap blocks: one descriptor answers for all bytes whose shadow is still untouched (rule A8).
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A table has one slot per 64-KiB granule of the address space; whole granules inside a block above 64 KiB name the block's
// last allocation or free. So malloc of a gigabyte touches no shadow, and a use after free still meets the free.
#ifndef CSP_RTL_EXTENT_H
#define CSP_RTL_EXTENT_H

#include "side.h"

#define CSPR_GRANULE ((uintptr_t)1 << 16)

extern bool cspr_extent_any; // false: no block was ever that large

void cspr_extent_init(void);
// What last happened to the block around addr, as an entry covering the whole word; false: nothing is known.
bool cspr_extent_get(uintptr_t addr, cspr_entry *out);
// All granules in [lo, hi), aligned to granules, now say `e` (NULL: nothing).
void cspr_extent_set(uintptr_t lo, uintptr_t hi, const cspr_entry *e);
void cspr_extent_fork_lock(bool take); // while the process forks (shadow.c)

#endif
