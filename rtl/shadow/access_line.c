// access_line.c - words at once: one taking for what lies in one line of the cache, and lines that are alike.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Ranges - copies, rows of loops, blocks that are allocated and freed - meet whole lines whose words mostly have the same history.
// What is done is what the short way of single words does (record_settled in access.c).
#include "shadow/access.h"

#include "shadow/depot.h"
#include "shadow/extent.h"
#include "shadow/shadow.h"
#include "support/counters.h"

static bool all_settled(const cspr_check *c, const uint64_t *cells, uintptr_t first, unsigned n)
{
    uint64_t r = 0, w = 0; // of the word before
    for (unsigned i = 0; i < n; i++, cells += 2) {
        uint64_t read = __atomic_load_n(&cells[0], __ATOMIC_RELAXED); // relaxed: the line is ours
        uint64_t write = cspr_word_write_cell(cells);
        if (CSPR_UNLIKELY(cspr_cell_is_rest(read)))
            return false;
        if ((write != w && !cspr_cell_is_settled(c->task, write, c->epoch)) ||
            (read != r && !cspr_cell_is_settled(c->task, read, c->epoch)))
            return false;
        if (CSPR_UNLIKELY(cspr_extent_any) && cspr_cell_mask(write) != 0xff &&
            !cspr_extent_is_known(first + 8 * i, c->epoch))
            return false;
        r = read;
        w = write;
    }
    return true;
}

// The cells of a word.
typedef struct pair {
    uint64_t r, w;
} pair;

// What becomes of a settled word.
static pair after_access(const cspr_check *c, pair old)
{
    uint64_t fresh = cspr_cell_of(c->epoch, 0xff, c->stack);
    if (c->kind != CSPR_WRITE)
        return (pair){fresh, old.w};
    return (pair){cspr_cell_beside(cspr_cell_epoch(old.r) == c->epoch ? old.r : 0, fresh), fresh};
}

// Lines whose words all say what a settled word before them said. One is taken only if its first write cell does, and compared
// without a jump for each word; what it says afterwards is known. Returns where they end.
static uintptr_t check_alike(const cspr_check *c, uintptr_t first, uintptr_t end, pair old)
{
    pair now = after_access(c, old);
    for (; first + CSPR_LINE_APP_BYTES <= end; first += CSPR_LINE_APP_BYTES) {
        uint64_t *line = cspr_shadow_of(first), w = old.w, differs = 0;
        if (CSPR_UNLIKELY(cspr_extent_any) && cspr_cell_mask(w) != 0xff)
            break;
        if (!w) // else it was marked when it was taken first
            cspr_mark(line);
        // Acquire: E1 of shadow.h.
        if (!__atomic_compare_exchange_n(&line[1], &w, w | CSPR_CELL_TAKEN, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
            break;
        for (unsigned i = 0; i < 2 * CSPR_LINE_WORDS; i++) // relaxed: the line is ours
            differs |= i == 1 ? 0 : __atomic_load_n(&line[i], __ATOMIC_RELAXED) ^ (i % 2 ? old.w : old.r);
        for (unsigned i = 0; !differs && i < 2 * CSPR_LINE_WORDS; i++)
            if (i != 1) // relaxed: E1 carries it
                __atomic_store_n(&line[i], i % 2 ? now.w : now.r, __ATOMIC_RELAXED);
        __atomic_store_n(&line[1], differs ? old.w : now.w, __ATOMIC_RELEASE); // E1
        if (differs)
            break;
        cspr_count(CSPR_COUNT_LINES);
        if (!(old.r | old.w))
            cspr_shadow_met(first);
    }
    return first;
}

size_t cspr_check_lines(const cspr_check *c, uintptr_t first, uintptr_t end)
{
    uintptr_t line_end = first + CSPR_LINE_APP_BYTES - first % CSPR_LINE_APP_BYTES;
    unsigned n = (unsigned)((line_end < end ? line_end : end) - first) / 8;
    if (n < 2 || first % 8 || !cspr_flags.whole_lines || !c->epoch || c->stack >= cspr_depot_cell_limit)
        return 0;
    uint64_t *cells = cspr_shadow_of(first), *line = cspr_line_of(cells);
    cspr_line_take(line);
    bool settled = all_settled(c, cells, first, n), was_empty = cspr_word_is_empty(cells);
    pair old = {0, 0};
    for (unsigned i = 0; settled && i < n; i++, cells += 2) {
        old.r = __atomic_load_n(&cells[0], __ATOMIC_RELAXED); // relaxed: the line is ours
        old.w = cspr_word_write_cell(cells);
        pair now = after_access(c, old);
        cspr_word_put(cells, now.r, now.w);
    }
    cspr_line_give(line);
    if (!settled)
        return 0;
    cspr_count(CSPR_COUNT_LINES);
    if (was_empty)
        cspr_shadow_met(first);
    return check_alike(c, first + 8 * n, end, old) - first;
}
