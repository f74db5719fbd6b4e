// extent.h - large heap blocks: one descriptor answers for all bytes whose shadow is still untouched (rule A8).
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A table has one slot per 64-KiB granule of the address space; whole granules inside a block above 64 KiB name the block's
// last allocation or free. So malloc of a gigabyte touches no shadow, and a use after free still meets the free.
#ifndef CSP_RTL_EXTENT_H
#define CSP_RTL_EXTENT_H

#include "shadow/side.h"

#define CSPR_GRANULE ((uintptr_t)1 << 16)

extern bool cspr_extent_any; // false: no block was ever that large

void cspr_extent_init(void);
// What last happened to the block around addr, as an entry covering the whole word; false: nothing is known.
bool cspr_extent_get(uintptr_t addr, cspr_entry *out);
// All granules in [lo, hi), aligned to granules, now say `e` (NULL: nothing).
void cspr_extent_set(uintptr_t lo, uintptr_t hi, const cspr_entry *e);

// What this thread's epochs were found to know lately, by granule; one change of any extent ends all of it. Ordering: a change
// is counted after it is made, and before whoever makes it looks at words for accesses that came too early to see it.
enum { CSPR_EXTENT_KNOWN = 16 };
extern uint64_t cspr_extent_changes; // atomic
extern __thread struct cspr_extent_known {
    uint64_t granule_and_epoch, changes;
} cspr_extent_known[CSPR_EXTENT_KNOWN] __attribute__((tls_model("initial-exec")));

static inline uint64_t cspr_extent_key(uintptr_t addr, uint32_t epoch)
{
    return (addr & CSPR_APP_MASK) / CSPR_GRANULE << 32 | epoch;
}
static inline bool cspr_extent_is_known(uintptr_t addr, uint32_t epoch)
{
    const struct cspr_extent_known *k = &cspr_extent_known[addr / CSPR_GRANULE % CSPR_EXTENT_KNOWN];
    // acquire: the word was taken before
    return k->granule_and_epoch == cspr_extent_key(addr, epoch) &&
           k->changes == __atomic_load_n(&cspr_extent_changes, __ATOMIC_ACQUIRE);
}
// `changes` was read before what happened there was looked up.
static inline void cspr_extent_note_known(uintptr_t addr, uint32_t epoch, uint64_t changes)
{
    cspr_extent_known[addr / CSPR_GRANULE % CSPR_EXTENT_KNOWN] =
        (struct cspr_extent_known){cspr_extent_key(addr, epoch), changes};
}

void cspr_extent_fork_lock(bool take); // while the process forks (shadow.c)

#endif
