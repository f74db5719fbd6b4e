// filter.h - words aside that this epoch has done with.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The inline check cannot see into a side record. What this thread found covered there is kept in a small filter, tagged with
// the epoch: a hit is as exact as the inline check's (A10). A free or allocation of our own ends all hits, since the block
// may become somebody else's within our epoch.
#ifndef CSP_RTL_FILTER_H
#define CSP_RTL_FILTER_H

#include "shadow/shadow.h"
#include "task/task.h"

enum { CSPR_FILTER_SLOTS = 512, CSPR_LOOK_AGAIN = 32 };
extern __thread struct cspr_filter {
    uint64_t word; // bit 0: written
    uint64_t done; // a cell: epoch, mask of bytes, and the filter's generation in place of the stack
} cspr_filter[CSPR_FILTER_SLOTS] __attribute__((tls_model("initial-exec")));
extern __thread uint32_t cspr_filter_generation __attribute__((tls_model("initial-exec")));

static inline unsigned cspr_filter_slot(uintptr_t word)
{
    return (unsigned)(word >> 3 ^ word >> 12) % CSPR_FILTER_SLOTS;
}

static inline bool cspr_filter_has(uintptr_t word, unsigned mask, bool is_write, uint32_t epoch)
{
    unsigned slot = cspr_filter_slot(word);
    uint64_t want = cspr_cell_of(epoch, mask, cspr_filter_generation), done = cspr_filter[slot].done;
    return cspr_filter[slot].word == (word | is_write) && !((done ^ want) & ~(0xffull << CSPR_MASK_SHIFT)) &&
           (done & want) == want;
}

// Relaxed: a hint; the filter itself is exact.
static inline bool cspr_is_aside_now(uintptr_t addr)
{
    return cspr_cell_is_aside(__atomic_load_n(&cspr_shadow_of(addr)[1], __ATOMIC_RELAXED));
}

static inline void cspr_filter_add(uintptr_t word, unsigned mask, bool is_write, uint32_t epoch)
{
    unsigned slot = cspr_filter_slot(word);
    if (cspr_filter_has(word, 0, is_write, epoch))
        mask |= cspr_cell_mask(cspr_filter[slot].done);
    cspr_filter[slot].word = word | is_write;
    cspr_filter[slot].done = cspr_cell_of(epoch, mask, cspr_filter_generation);
}

// Ends the hits of this thread's filter: memory of its own may have become somebody else's.
void cspr_filter_flush(void);

#endif
