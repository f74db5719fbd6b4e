// access_line.c - up to four words at once: one taking for what lies in one line of the cache.
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

unsigned cspr_check_line(const cspr_check *c, uintptr_t first, uintptr_t end)
{
    uintptr_t line_end = first + CSPR_LINE_APP_BYTES - first % CSPR_LINE_APP_BYTES;
    unsigned n = (unsigned)((line_end < end ? line_end : end) - first) / 8;
    if (n < 2 || first % 8 || !cspr_flags.whole_lines || !c->epoch || c->stack >= cspr_depot_cell_limit)
        return 0;
    uint64_t *cells = cspr_shadow_of(first), *line = cspr_line_of(cells);
    uint64_t fresh = cspr_cell_of(c->epoch, 0xff, c->stack);
    bool is_write = c->kind == CSPR_WRITE;
    cspr_line_take(line);
    bool settled = all_settled(c, cells, first, n), was_empty = cspr_word_is_empty(cells);
    for (unsigned i = 0; settled && i < n; i++, cells += 2) {
        uint64_t r = __atomic_load_n(&cells[0], __ATOMIC_RELAXED); // relaxed: the line is ours
        if (is_write)
            cspr_word_put(cells, cspr_cell_beside(cspr_cell_epoch(r) == c->epoch ? r : 0, fresh), fresh);
        else
            cspr_word_put(cells, fresh, cspr_word_write_cell(cells));
    }
    cspr_line_give(line);
    if (settled)
        cspr_count(CSPR_COUNT_LINES);
    if (settled && was_empty)
        cspr_shadow_met(first);
    return settled ? n * 8 : 0;
}
