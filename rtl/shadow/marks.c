// marks.c - which parts of the shadow were ever written, and forgetting a coroutine's stack by them.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Why: a coroutine's stack is forgotten whenever the next one gets it, and most of it was never touched. Asking the system
// which pages are in memory, and to drop the others in case they were swapped out, took a third of starting a coroutine.
// Invariant:  M1 a line of shadow that ever differed from zero has its mark set: who takes a line whose first write cell is zero
//             sets it before, the line's first taker among them, and only who has taken a line changes it (shadow.h). No mark is
//             ever cleared.
// Ordering:   none of its own: who knows that the line was changed has synchronised with the change, which comes after the mark;
//             who does not is as late as one that looks at the line too early.
#include "shadow/shadow.h"

#include "shadow/access.h"
#include "shadow/extent.h"
#include "shadow/filter.h"
#include "shadow/side.h"
#include "support/alloc.h"

#define MARK_SHADOW_BYTES ((uintptr_t)CSPR_MARK_APP_BYTES * 2)
// Of a stack that was used more than that, the shadow goes back to the system.
enum { KEEP_APP_BYTES = 32 << 10 };

uint8_t *cspr_marks;

void cspr_marks_init(void)
{
    if (!cspr_marks)
        cspr_marks = cspr_reserve(CSPR_SHADOW_SIZE / MARK_SHADOW_BYTES);
}

static void forget_line(uint64_t *line)
{
    uint64_t any = 0;
    for (unsigned i = 0; i < 2 * CSPR_LINE_WORDS; i++)
        any |= __atomic_load_n(&line[i], __ATOMIC_RELAXED); // relaxed: a look
    if (!any)
        return;
    cspr_line_take(line);
    for (unsigned i = 0; i < CSPR_LINE_WORDS; i++) {
        uint64_t w = cspr_word_write_cell(&line[2 * i]);
        if (cspr_cell_is_aside(w))
            cspr_record_free(cspr_record_of(w));
        cspr_word_put(&line[2 * i], 0, 0);
    }
    cspr_line_give(line);
}

// The first address from a on, or hi, that may have a mark: eight are looked at together.
static uintptr_t skip_unmarked(uintptr_t a, uintptr_t hi)
{
    const uint8_t *mark = cspr_mark_of(cspr_shadow_of(a));
    while (a < hi) {
        if (!((uintptr_t)mark % 8) && !__atomic_load_n((const uint64_t *)(const void *)mark, __ATOMIC_RELAXED)) {
            mark += 8;
            a = (a & ~(uintptr_t)(CSPR_MARK_APP_BYTES - 1)) + 8 * (uintptr_t)CSPR_MARK_APP_BYTES;
            continue;
        }
        if (__atomic_load_n(mark, __ATOMIC_RELAXED)) // relaxed, both: M1
            return a;
        mark++;
        a = (a & ~(uintptr_t)(CSPR_MARK_APP_BYTES - 1)) + CSPR_MARK_APP_BYTES;
    }
    return hi;
}

// Returns how much had a mark. Bounds are those of lines.
static uintptr_t forget_marked(uintptr_t lo, uintptr_t hi)
{
    uintptr_t forgotten = 0;
    for (uintptr_t a = lo, end; (a = skip_unmarked(a, hi)) < hi; a = end) {
        end = (a & ~(uintptr_t)(CSPR_MARK_APP_BYTES - 1)) + CSPR_MARK_APP_BYTES;
        end = end < hi ? end : hi;
        for (uintptr_t line = a; line < end; line += CSPR_LINE_APP_BYTES)
            forget_line(cspr_shadow_of(line));
        forgotten += end - a;
    }
    return forgotten;
}

void cspr_shadow_forget_stack(uintptr_t lo, uintptr_t hi)
{
    if ((lo | hi) % CSPR_LINE_APP_BYTES) {
        cspr_shadow_forget(lo, hi);
        return;
    }
    cspr_enter();
    cspr_filter_flush();
    cspr_extent_set(lo & ~(CSPR_GRANULE - 1), (hi + CSPR_GRANULE - 1) & ~(CSPR_GRANULE - 1), NULL);
    if (forget_marked(lo, hi) > KEEP_APP_BYTES)
        cspr_shadow_drop(lo, hi);
    cspr_leave();
}
