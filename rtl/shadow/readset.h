// readset.h - sets of unordered readers, interned: all words of a table that the same tasks read name one set (rule A4).
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//   shared read cell   |  CSPR_EPOCH_SHARED | mask | set id |      each member has read exactly the bytes of mask
//   member             |  epoch id          | 0    | stack  |
//
// An id is (group, variant): sets of one group have the same epochs and differ in stacks only. An unrolled loop reads a table
// from several places, so its words name several variants; the epoch alone decides whether a read is recorded.
//
// Sets never change and are never given back, so they may be looked at without taking a word: whoever finds its open epoch in
// the set of a cell has recorded a read of the cell's bytes. __csp_current_shared is the last such set, as a cell with all
// mask bits, for compiled code; it ends with the epoch, as __csp_current does.
#ifndef CSP_RTL_READSET_H
#define CSP_RTL_READSET_H

#include "shadow/shadow.h"
#include "task/task.h"

enum { CSPR_READSET_MAX = 8 };

typedef struct cspr_readset {
    uint32_t next; // in its hash bucket
    uint32_t id;
    uint32_t n;
    uint64_t member[]; // ascending
} cspr_readset;

extern uint64_t *cspr_readsets;      // room for sets
extern uint32_t *cspr_readset_place; // in it, by id
extern uint32_t cspr_readset_limit;  // words of 8 bytes of room; smaller in tests

// Sets pay off for tables that an epoch reads much of. One that ends soon would leave sets behind which nobody meets again,
// so an epoch makes sets only once it has come to words that others read this often; before, they are aside.
extern uint32_t cspr_readset_after; // 0 in tests
static inline bool cspr_readset_pays(void)
{
    return ++cspr_shared_reads > cspr_readset_after;
}

void cspr_readset_init(void);
void cspr_readset_fork_lock(bool take); // while the process forks (shadow.c)
// The cell of `mask` read by these members, 2 to CSPR_READSET_MAX in any order; 0: no room for new sets.
uint64_t cspr_readset_cell(const uint64_t *members, unsigned n, unsigned mask);

static inline bool cspr_cell_is_shared(uint64_t cell)
{
    return cspr_cell_epoch(cell) == CSPR_EPOCH_SHARED;
}

static inline const cspr_readset *cspr_readset_of(uint64_t cell)
{
    return (const cspr_readset *)&cspr_readsets[cspr_readset_place[cspr_cell_stack(cell)]];
}

static inline bool cspr_readset_has(const cspr_readset *set, uint32_t epoch)
{
    for (uint32_t i = 0; i < set->n; i++)
        if (cspr_cell_epoch(set->member[i]) == epoch)
            return true;
    return false;
}

// Whether a shared cell says that this epoch, the running task's open one, has read these bytes; then compiled code finds
// the next words that name the set.
static inline bool cspr_readset_covers(uint64_t cell, unsigned mask, uint32_t epoch)
{
    if (!cspr_cell_is_shared(cell) || (mask & ~cspr_cell_mask(cell)) || !cspr_readset_has(cspr_readset_of(cell), epoch))
        return false;
    __csp_current_shared = cell | 0xffull << CSPR_MASK_SHIFT;
    return true;
}

#endif
