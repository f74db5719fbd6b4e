// block.c - what malloc and free do to the shadow of a block (rule A8).
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// free checks the block as a write of all of it; malloc writes it as the allocator. Large blocks are described per granule
// (extent.h) instead of being touched.
#include "shadow/access.h"

#include "shadow/depot.h"
#include "shadow/extent.h"
#include "shadow/filter.h"
#include "shadow/shadow.h"

// The word becomes this epoch's write and nothing else; its record and sync objects go.
static void overwrite_word(cspr_check *c, uintptr_t word)
{
    uint64_t *cells = cspr_shadow_of(word);
    uint64_t w = cspr_word_take(cells);
    if (cspr_cell_is_aside(w))
        cspr_record_free(cspr_record_of(w));
    c->word = word;
    if (CSPR_LIKELY(c->epoch && c->stack < cspr_depot_cell_limit)) {
        cspr_word_give(cells, 0, cspr_cell_of(c->epoch, 0xff, c->stack));
        return;
    }
    cspr_record *rec = cspr_record_new(word, 0, 0);
    cspr_record_access(rec, c, 0xff);
    cspr_word_give(cells, cspr_record_cell(rec), cspr_record_cell(rec));
}

// n words that lie in one line.
static void overwrite_in_line(uintptr_t first, unsigned n, uint64_t fresh)
{
    uint64_t *cells = cspr_shadow_of(first), *line = cspr_line_of(cells);
    cspr_line_take(line);
    for (; n; n--, cells += 2) {
        uint64_t w = cspr_word_write_cell(cells);
        if (CSPR_UNLIKELY(cspr_cell_is_aside(w)))
            cspr_record_free(cspr_record_of(w));
        cspr_word_put(cells, cspr_cell_beside(0, fresh), fresh);
    }
    cspr_line_give(line);
}

static void overwrite_words(cspr_check *c, uintptr_t lo, uintptr_t hi)
{
    uint64_t fresh = cspr_cell_of(c->epoch, 0xff, c->stack);
    bool fits = c->epoch && c->stack < cspr_depot_cell_limit;
    for (uintptr_t first = lo; fits && lo < hi;) {
        if (lo == first || !(lo % CSPR_MARK_APP_BYTES))
            cspr_shadow_touch(cspr_shadow_of(lo));
        uintptr_t end = lo + CSPR_LINE_APP_BYTES - lo % CSPR_LINE_APP_BYTES;
        end = end < hi ? end : hi;
        overwrite_in_line(lo, (unsigned)(end - lo) / 8, fresh);
        lo = end;
    }
    for (; lo < hi; lo += 8)
        overwrite_word(c, lo);
}

// Checks the block's words as written by free, then overwrites them.
static void free_words(cspr_check *c, uintptr_t lo, uintptr_t hi)
{
    for (uintptr_t first = lo; lo < hi;) {
        size_t done = lo == first || lo % CSPR_LINE_APP_BYTES == 0 ? cspr_check_lines(c, lo, hi) : 0;
        if (done) {
            lo += done;
            continue;
        }
        cspr_check_word(c, lo, 0xff);
        cspr_check_report(c);
        if (CSPR_UNLIKELY(cspr_cell_is_aside(cspr_word_write_cell(cspr_shadow_of(lo)))))
            overwrite_word(c, lo); // a hint is enough: only sync objects keep a word aside after a write of all of it
        lo += 8;
    }
}

static void free_touched(uintptr_t lo, uintptr_t hi, void *arg)
{
    cspr_check *c = arg;
    for (uintptr_t a = lo; a < hi; a += 8) {
        const uint64_t *cells = cspr_shadow_of(a);
        if (!cspr_word_is_empty(cells))
            free_words(c, a, a + 8); // an empty word's history is the extent's, which was checked as a whole
    }
}

static cspr_entry entry_of_check(const cspr_check *c)
{
    return (cspr_entry){.at = c->at,
                        .id = c->task->clock.own,
                        .who = c->task->who,
                        .epoch = c->epoch,
                        .stack = c->stack,
                        .mask = 0xff,
                        .kind = CSPR_WRITE};
}

// The whole granules inside a block large enough to have any; empty otherwise.
static void inner_granules(uintptr_t lo, uintptr_t hi, uintptr_t *from, uintptr_t *to)
{
    *from = (lo + CSPR_GRANULE - 1) & ~(CSPR_GRANULE - 1);
    *to = hi & ~(CSPR_GRANULE - 1);
    if (hi - lo <= CSPR_GRANULE || *from >= *to)
        *from = *to = hi;
}

// Blocks own the whole of the words they start and end in.
static bool begin_block(cspr_check *c, uintptr_t *addr, uintptr_t *end, size_t size, cspr_stack stack, bool is_free,
                        cspr_stack allocation)
{
    cspr_task *t = cspr_task_current();
    if (!t || !*addr)
        return false;
    cspr_enter();
    cspr_filter_flush();
    stack = cspr_depot_locked(stack, cspr_task_locks(t));
    stack = is_free ? cspr_depot_freed(stack, allocation) : cspr_depot_tagged(stack, CSPR_TAG_ALLOC);
    cspr_check_begin(c, t, *addr, size, CSPR_WRITE, stack);
    *end = (*addr + size + 7) & ~(uintptr_t)7;
    *addr &= ~(uintptr_t)7;
    return true;
}

void cspr_access_alloc(uintptr_t addr, size_t size, cspr_stack stack)
{
    cspr_check c;
    uintptr_t end, from, to;
    if (!begin_block(&c, &addr, &end, size, stack, false, 0))
        return;
    inner_granules(addr, end, &from, &to);
    overwrite_words(&c, addr, from);
    if (from < to) {
        cspr_shadow_forget(from, to);
        cspr_entry e = entry_of_check(&c);
        cspr_extent_set(from, to, &e);
    }
    overwrite_words(&c, to, end);
    cspr_leave();
}

void cspr_access_free(uintptr_t addr, size_t size, cspr_stack stack, cspr_stack allocation)
{
    cspr_check c;
    uintptr_t end, from, to;
    if (!begin_block(&c, &addr, &end, size, stack, true, allocation))
        return;
    inner_granules(addr, end, &from, &to);
    free_words(&c, addr, from);
    if (from < to) {
        c.word = from;
        cspr_check_extent(&c, 0xff);
        cspr_check_report(&c);
        // First the extent says "freed", then the shadow goes: an access between the two meets one or the other.
        cspr_entry e = entry_of_check(&c);
        cspr_extent_set(from, to, &e);
        cspr_shadow_each_touched(from, to, free_touched, &c);
        cspr_shadow_drop(from, to);
    }
    free_words(&c, to, end);
    cspr_leave();
}

void cspr_access_free_again(uintptr_t addr, cspr_stack stack)
{
    uint64_t w = cspr_word_write_cell(cspr_shadow_of(addr)); // a look; the check looks again
    cspr_stack before = cspr_cell_stack(w), bare = before;
    if (!cspr_cell_epoch(w) || cspr_cell_is_aside(w) || cspr_depot_untag(&bare) != CSPR_TAG_FREE)
        return;
    cspr_access_free(addr, sizeof(uint64_t), stack, cspr_depot_allocation(before));
}
