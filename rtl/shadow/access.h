// access.h - checking one access, for the core's other files (atomics, unit tests).
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_RTL_ACCESS_H
#define CSP_RTL_ACCESS_H

#include "shadow/depot.h"
#include "shadow/shadow.h"
#include "shadow/side.h"
#include "task/tls.h"

// Prepares *c for an access by t, the running task: opens and names its epoch.
void cspr_check_begin(cspr_check *c, cspr_task *t, uintptr_t addr, size_t size, cspr_access_kind kind,
                      cspr_stack stack);
// The access's stack, tagged when it is one to the running OS thread's own thread-locals; c->addr is set.
static inline void cspr_check_set_stack(cspr_check *c, cspr_stack stack)
{
    c->is_tls = cspr_in_own_tls(c->addr);
    c->stack = CSPR_UNLIKELY(c->is_tls) ? cspr_depot_tagged(stack, CSPR_TAG_TLS) : stack;
}
// Checks and records the access in one word; mask: its bytes there. The word is not taken.
void cspr_check_word(cspr_check *c, uintptr_t word, unsigned mask);
// access_line.c: the same for the whole words from `first` to `end` that lie in one line, at least two, where nothing is to be
// checked, and for the lines behind it that say the same. Returns their bytes; 0: nothing changed.
size_t cspr_check_lines(const cspr_check *c, uintptr_t first, uintptr_t end);
// The same for all of c's bytes, in the words that are not recorded yet, telling the races found. In an entry.
void cspr_check_words(cspr_check *c);
// Whether this epoch has recorded such accesses to all these bytes, as compiled code would find out.
bool cspr_is_recorded(uintptr_t addr, size_t size, bool is_write);
// A slow-path entry.
enum { CSPR_COUNT_STEP = 256 };
extern __thread uint32_t cspr_n_slow_here __attribute__((tls_model("initial-exec")));
void cspr_count_slow_step(void);
static inline void cspr_count_slow(void)
{
    if (CSPR_UNLIKELY(++cspr_n_slow_here == CSPR_COUNT_STEP))
        cspr_count_slow_step();
}
// The task of an entry from compiled code that finds the detector busy or the thread new; NULL: nothing is checked.
cspr_task *cspr_enter_unknown(void);
// Tells the races found. No word is taken; in_rtl > 0.
void cspr_check_report(cspr_check *c);
// Tells one: what both sides held and how far t is ordered after logical id `id` (epoch: that of the access, 0: unnamed) are
// found here. No lock is held; in_rtl > 0.
void cspr_tell_race(cspr_race *race, const cspr_task *t, uint32_t id, uint32_t epoch);

// access_piece.c: the short ways of pieces of words; the word is taken, nothing is to be checked in its cells r and w.
// The bytes of mask are this epoch's now, the word's others stay those of an earlier one. Gives the word back.
void cspr_word_split(uint64_t *cells, uint64_t r, uint64_t w, uintptr_t word, unsigned mask, bool is_write,
                     const cspr_task *t, uint32_t epoch, cspr_stack stack);
// The same of a word whose read cell r is a rest; there may be something to check. Gives the word back; false: it is still taken,
// as it was.
bool cspr_word_piece(uint64_t *cells, uint64_t r, uint64_t w, uintptr_t word, unsigned mask, bool is_write,
                     const cspr_task *t, uint32_t epoch, cspr_stack stack);
// Whether there is nothing to check in a cell: it is empty, or of this epoch, or of one that t knows.
static inline bool cspr_cell_is_settled(const cspr_task *t, uint64_t cell, uint32_t epoch)
{
    uint32_t e = cspr_cell_epoch(cell);
    return !cell || e == epoch || (e >= CSPR_EPOCH_FIRST && cspr_task_knows_epoch(t, e));
}

// access_size.c: an access of more bytes than lie in one word is recorded word by word; puts what its call asked for, where the
// neighbouring words still say so, into race->previous. No word is taken.
void cspr_widen_previous(cspr_race *race, const cspr_found *found);

// The record of a word the caller has taken, made from its cells if need be. The word is to be given back with
// cspr_record_cell in both cells.
cspr_record *cspr_word_record(uintptr_t word, const uint64_t *cells, uint64_t w);
// Meets the large block around a word, for bytes of mask that no plain write covers. c->word is the word.
void cspr_check_extent(cspr_check *c, unsigned mask);

typedef struct cspr_stats {
    uint64_t slow_entries; // slow-path entries, counted in steps per thread: a little low
    uint64_t unchecked;    // accesses made inside the detector (by signal handlers)
    uint64_t epochs, stacks, nodes, records;
    uint64_t merged_units; // of semaphores (sem.h)
} cspr_stats;
void cspr_stats_get(cspr_stats *out);

#endif
