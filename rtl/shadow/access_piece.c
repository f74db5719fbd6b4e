// access_piece.c - pieces of a word: an epoch accesses some bytes of what an earlier one did to a word.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Code that writes halves of words, or bytes, meets words of an older epoch and mostly writes all of each, piece by piece. As long as
// nobody else reads, two cells can say what is between: the write cell is the newer write, and the read cell, which has nothing to
// say, is the *rest* of the older one. What the newer epoch itself has read of those bytes (sorting in place does) goes into the rest's
// stack (cspr_depot_read_over), since epoch and bytes are known.
// Invariants:  I1 a rest and its write cell have no byte in common
//              I2 nothing is read of the word but what the rest's stack says, by the write cell's epoch; its mask counts as far as
//                 the rest has the bytes
//              I3 only this file makes rests and changes words that have one; who else wants to know what the word's cells say has
//                 a record made of them (cspr_record_new), which has both writes and the read as entries, or leaves them as they are
// Why no race is missed: the cells say exactly what that record would, of which there are two writes and at most one read, and what
// is dropped of it are bytes that a settled write of the running epoch stands for (rule A1).
// Compiled code: a rest looks to it like a read of the older epoch. Should that be the running one again (sync.c: coming back), the
// bytes it has there it wrote, and reads under one's own write need no record (A10). A write is compared with the write cell alone.
#include "shadow/access.h"

#include "clock/everyone.h"
#include "shadow/depot.h"
#include "shadow/extent.h"
#include "shadow/filter.h"
#include "support/counters.h"

// What is left of the older write w once the running epoch has written mask's bytes, r having been read. 0: it is no rest.
static uint64_t rest_of(uint64_t w, uint64_t r, unsigned mask, uint32_t epoch)
{
    uint64_t rest = cspr_cell_drop(w, mask), read = cspr_cell_drop(r, mask);
    if (!read)
        return rest | CSPR_CELL_REST;
    if (cspr_cell_epoch(read) != epoch || (cspr_cell_mask(read) & ~cspr_cell_mask(rest)))
        return 0;
    cspr_stack stack = cspr_depot_read_over(cspr_cell_stack(rest), cspr_cell_stack(read), cspr_cell_mask(read));
    // 0: the table is full, and the read would be lost with its stack.
    if (CSPR_UNLIKELY(!stack || stack >= cspr_depot_cell_limit))
        return 0;
    return cspr_cell_of(cspr_cell_epoch(rest), cspr_cell_mask(rest), stack) | CSPR_CELL_REST;
}

void cspr_word_split(uint64_t *cells, uint64_t r, uint64_t w, uintptr_t word, unsigned mask, bool is_write,
                     const cspr_task *t, uint32_t epoch, cspr_stack stack)
{
    if (!is_write && cspr_cell_epoch(w) == epoch && !(mask & ~cspr_cell_mask(w))) {
        cspr_word_give(cells, r, w); // our own write covers it (A10)
        return;
    }
    uint64_t rest = is_write && cspr_flags.two_writes && CSPR_LIKELY(stack < cspr_depot_cell_limit)
                        ? rest_of(w, r, mask, epoch)
                        : 0;
    if (rest) {
        cspr_count(CSPR_COUNT_TWO_WRITES);
        cspr_word_give(cells, rest, cspr_cell_of(epoch, mask, stack));
        return;
    }
    cspr_record *rec = cspr_record_split(word, cspr_cell_drop(r, mask), is_write ? cspr_cell_drop(w, mask) : w, t,
                                         epoch, mask, is_write, stack);
    cspr_word_give(cells, cspr_record_cell(rec), cspr_record_cell(rec));
    cspr_filter_add(word, mask, is_write, epoch);
}

// The bytes of a rest that the write cell's epoch has read.
static unsigned read_of_rest(uint64_t rest)
{
    unsigned mask;
    cspr_stack written = cspr_cell_stack(rest);
    cspr_depot_take_read(&written, &mask);
    return mask & cspr_cell_mask(rest);
}

// What is left of a write known to the running task; 0: nothing, or nobody can race with it any more.
static uint64_t left_of(const cspr_task *t, uint64_t write, unsigned mask)
{
    uint64_t left = cspr_cell_drop(write, mask);
    return left && !cspr_everyone_knows(t, cspr_cell_epoch(left)) ? left : 0;
}

// Writes the piece; false: two cells cannot say what there is then.
static bool write_piece(uint64_t *cells, uint64_t rest, uint64_t w, unsigned mask, const cspr_task *t, uint32_t epoch,
                        cspr_stack stack)
{
    unsigned own = 0;
    if (cspr_cell_epoch(w) == epoch) {
        own = cspr_cell_mask(w);
        if (own & ~mask)
            stack = cspr_depot_composite(cspr_cell_stack(w), own, stack, mask & ~own); // rule A2
        rest = cspr_cell_drop(rest, mask);
    } else { // of a third epoch: one of the others must go, and what the last one read of the rest
        uint64_t older = left_of(t, rest, mask), newer = left_of(t, w, mask);
        if ((older && newer) || (read_of_rest(rest) & ~mask))
            return false;
        rest = older | newer;
    }
    if (CSPR_UNLIKELY(stack >= cspr_depot_cell_limit))
        return false;
    uint64_t fresh = cspr_cell_of(epoch, mask | own, stack);
    cspr_word_give(cells, rest ? rest | CSPR_CELL_REST : cspr_cell_beside(0, fresh), fresh);
    return true;
}

bool cspr_word_piece(uint64_t *cells, uint64_t r, uint64_t w, uintptr_t word, unsigned mask, bool is_write,
                     const cspr_task *t, uint32_t epoch, cspr_stack stack)
{
    if (!is_write) {
        // Our own write covers it (A10), or our own read.
        bool covered = cspr_cell_epoch(w) == epoch && !(mask & ~(cspr_cell_mask(w) | read_of_rest(r)));
        if (covered)
            cspr_word_give(cells, r, w);
        return covered;
    }
    if (!cspr_cell_is_settled(t, w, epoch) || !cspr_cell_is_settled(t, r, epoch))
        return false;
    if (CSPR_UNLIKELY(cspr_extent_any) && (mask & ~(cspr_cell_mask(w) | cspr_cell_mask(r))) &&
        !cspr_extent_is_known(word, epoch))
        return false;
    return write_piece(cells, r, w, mask, t, epoch, stack);
}
