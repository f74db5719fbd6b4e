// access.c - the slow path: what happens to a word when the inline check says "not known yet".
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Per byte this is FastTrack: an access races with every earlier conflicting one its task's clock does not cover, and the
// last write and last reads of a byte are kept. Two cells hold that while one epoch wrote and one read; else the word goes
// aside (side.h). A same-epoch access that is covered needs nothing: whoever could race with it races with the first one.
// Entries made from compiled code are preserve_most: the caller's spills are in its cold block, not around every access.
#include "access.h"

#include "depot.h"
#include "extent.h"
#include "shadow.h"

#include <errno.h>
#include <string.h>

// --- counters -------------------------------------------------------------------------------------------------------------

enum { COUNT_STEP = 256 };
static uint64_t n_slow, n_unchecked; // atomic
static __thread uint32_t n_slow_here __attribute__((tls_model("initial-exec")));

static inline void count_slow(void)
{
    if (CSPR_UNLIKELY(++n_slow_here == COUNT_STEP)) {
        __atomic_fetch_add(&n_slow, COUNT_STEP, __ATOMIC_RELAXED); // relaxed: a counter
        n_slow_here = 0;
    }
}

// Rule G1: a signal handler that interrupted the detector on this thread may find its own BUSY word, so what it does is not
// checked. Asynchronous handlers are deferred and do not come here.
CSPR_NOINLINE static void count_unchecked(void)
{
    uint64_t before = __atomic_fetch_add(&n_unchecked, 1, __ATOMIC_RELAXED); // relaxed: a counter
    if (!before && cspr_flags.verbosity > 0)
        cspr_note("accesses of a signal handler that interrupted the detector are not checked");
}

void cspr_stats_get(cspr_stats *out)
{
    *out = (cspr_stats){
        .slow_entries = __atomic_load_n(&n_slow, __ATOMIC_RELAXED), // relaxed: counters
        .unchecked = __atomic_load_n(&n_unchecked, __ATOMIC_RELAXED),
        .epochs = cspr_epoch_issued(),
        .stacks = cspr_depot_stacks(),
        .nodes = cspr_depot_nodes(),
        .records = cspr_side_count(),
    };
}

// --- reporting ------------------------------------------------------------------------------------------------------------

static cspr_race race_of(const cspr_check *c, const cspr_found *f)
{
    unsigned first = (unsigned)__builtin_ctz(f->previous.mask), from = first, to = first + 1;
    while (from && f->whole >> (from - 1) & 1)
        from--;
    while (f->whole >> to & 1)
        to++;
    cspr_stack stack = f->previous.stack;
    cspr_stack_tag tag = cspr_depot_untag(&stack);
    cspr_stack current = c->stack;
    cspr_stack_tag current_tag = cspr_depot_untag(&current);
    return (cspr_race){
        .addr = f->word + first,
        .current = {
            .who = c->task->who,
            .addr = c->addr,
            .size = c->size,
            .is_write = c->kind == CSPR_WRITE || c->kind == CSPR_ATOMIC_WRITE,
            .is_atomic = c->kind >= CSPR_ATOMIC_READ,
            .is_alloc = current_tag == CSPR_TAG_ALLOC,
            .is_free = current_tag == CSPR_TAG_FREE,
            .stack = current,
            .byte_mask = f->previous.mask,
        },
        .previous = {
            .who = f->previous.who,
            .addr = f->word + from,
            .size = to - from,
            .is_write = f->previous.kind == CSPR_WRITE || f->previous.kind == CSPR_ATOMIC_WRITE,
            .is_atomic = f->previous.kind >= CSPR_ATOMIC_READ,
            .is_alloc = tag == CSPR_TAG_ALLOC,
            .is_free = tag == CSPR_TAG_FREE,
            .stack = stack,
            .byte_mask = f->previous.mask,
        },
    };
}

CSPR_NOINLINE static void report_found(cspr_check *c)
{
    int saved = errno;
    for (uint32_t i = 0; i < c->n_found; i++) {
        cspr_race race = race_of(c, &c->found[i]);
        race.current.n_held =
            cspr_task_held(c->task, race.current.held, sizeof race.current.held / sizeof *race.current.held);
        cspr_report_race(&race);
    }
    c->n_found = 0;
    errno = saved;
}

void cspr_check_report(cspr_check *c)
{
    if (CSPR_UNLIKELY(c->n_found))
        report_found(c);
}

// --- words aside that this epoch has done with -----------------------------------------------------------------------------
// The inline check cannot see into a side record. What this thread found covered there is kept in a small filter, tagged with
// the epoch: a hit is as exact as the inline check's (A10). A free or allocation of our own ends all hits, since the block
// may become somebody else's within our epoch.

enum { FILTER_SLOTS = 512 };
static __thread struct {
    uint64_t word; // bit 0: written
    uint64_t done; // a cell: epoch, mask of bytes, and the filter's generation in place of the stack
} filter[FILTER_SLOTS] __attribute__((tls_model("initial-exec")));
static __thread uint32_t filter_generation __attribute__((tls_model("initial-exec")));

static inline unsigned filter_slot(uintptr_t word)
{
    return (unsigned)(word >> 3 ^ word >> 12) % FILTER_SLOTS;
}

static inline bool filter_has(uintptr_t word, unsigned mask, bool is_write, uint32_t epoch)
{
    unsigned slot = filter_slot(word);
    uint64_t want = cspr_cell_of(epoch, mask, filter_generation), done = filter[slot].done;
    return filter[slot].word == (word | is_write) && !((done ^ want) & ~(0xffull << CSPR_MASK_SHIFT)) && (done & want) == want;
}

// Relaxed: a hint; the filter itself is exact.
static inline bool is_aside_now(uintptr_t addr)
{
    return cspr_cell_is_aside(__atomic_load_n(&cspr_shadow_of(addr)[1], __ATOMIC_RELAXED));
}

static void filter_add(uintptr_t word, unsigned mask, bool is_write, uint32_t epoch)
{
    unsigned slot = filter_slot(word);
    if (filter_has(word, 0, is_write, epoch))
        mask |= cspr_cell_mask(filter[slot].done);
    filter[slot].word = word | is_write;
    filter[slot].done = cspr_cell_of(epoch, mask, filter_generation);
}

void cspr_filter_flush(void)
{
    filter_generation = (filter_generation + 1) & ((1u << CSPR_STACK_BITS) - 1);
    if (!filter_generation) // came round: very old entries must not match
        memset(filter, 0, sizeof filter);
}

// --- one word -------------------------------------------------------------------------------------------------------------

void cspr_check_begin(cspr_check *c, cspr_task *t, uintptr_t addr, size_t size, cspr_access_kind kind, cspr_stack stack)
{
    c->task = t;
    c->addr = addr;
    c->size = size;
    c->epoch = cspr_task_name_epoch(t);
    c->at = t->clock.own_at;
    cspr_check_set_stack(c, stack);
    c->kind = kind;
    c->n_found = 0;
}

static bool cell_is_known(const cspr_check *c, uint64_t cell)
{
    uint32_t epoch = cspr_cell_epoch(cell);
    return cspr_task_knows(c->task, cspr_epoch_run(epoch)->id, cspr_epoch_clock(epoch));
}

CSPR_NOINLINE static void found_cell(cspr_check *c, uint64_t cell, unsigned mask, cspr_access_kind kind)
{
    uint32_t epoch = cspr_cell_epoch(cell);
    cspr_entry e = {
        .at = cspr_epoch_clock(epoch),
        .id = cspr_epoch_run(epoch)->id,
        .who = cspr_epoch_run(epoch)->who,
        .epoch = epoch,
        .stack = cspr_cell_stack(cell),
        .mask = (uint8_t)cspr_cell_mask(cell),
        .kind = (uint8_t)kind,
    };
    cspr_check_found(c, &e, mask);
}

static inline void check_cell(cspr_check *c, uint64_t cell, unsigned mask, cspr_access_kind kind)
{
    mask &= cspr_cell_mask(cell);
    if (mask && cspr_cell_epoch(cell) != c->epoch && !cell_is_known(c, cell))
        found_cell(c, cell, mask, kind);
}

// The cell of this epoch, holding old's bytes and mask's (rule A2); 0: the stack has no name that fits.
static uint64_t merged_cell(const cspr_check *c, uint64_t old, unsigned mask)
{
    unsigned old_mask = cspr_cell_mask(old);
    if (!(mask & ~old_mask))
        return old;
    cspr_stack stack = c->stack;
    if (old_mask & ~mask)
        stack = cspr_depot_composite(cspr_cell_stack(old), old_mask, stack, mask & ~old_mask);
    return stack < cspr_depot_cell_limit ? cspr_cell_of(c->epoch, mask | old_mask, stack) : 0;
}

// Both return false, having changed nothing, when the word has to go aside.
static inline bool write_cells(cspr_check *c, unsigned mask, uint64_t *r, uint64_t *w)
{
    uint64_t write;
    if (!(cspr_cell_mask(*w) & ~mask))
        write = cspr_cell_of(c->epoch, mask, c->stack);
    else if (cspr_cell_epoch(*w) != c->epoch || !(write = merged_cell(c, *w, mask)))
        return false;
    check_cell(c, *w, mask, CSPR_WRITE);
    check_cell(c, *r, mask, CSPR_READ);
    *w = write;
    // What we wrote over need not be remembered as read, except by ourselves: that spares our next read a slow entry.
    if (*r && cspr_cell_epoch(*r) != c->epoch) {
        unsigned rest = cspr_cell_mask(*r) & ~mask;
        *r = rest ? cspr_cell_of(cspr_cell_epoch(*r), rest, cspr_cell_stack(*r)) : 0;
    }
    return true;
}

static inline bool read_cells(cspr_check *c, unsigned mask, uint64_t *r, uint64_t *w)
{
    uint64_t read;
    if (cspr_cell_epoch(*r) == c->epoch) {
        read = merged_cell(c, *r, mask);
    } else if (!(cspr_cell_mask(*r) & ~mask) && (!*r || cell_is_known(c, *r))) {
        read = cspr_cell_of(c->epoch, mask, c->stack);
    } else if (cspr_cell_epoch(*w) == c->epoch && !(mask & ~cspr_cell_mask(*w))) {
        return true; // covered by our own write (A10); another epoch's reads of other bytes have the cell
    } else {
        return false;
    }
    if (!read)
        return false;
    check_cell(c, *w, mask, CSPR_WRITE);
    *r = read;
    return true;
}

cspr_record *cspr_word_record(uintptr_t word, const uint64_t *cells, uint64_t w)
{
    return cspr_cell_is_aside(w) ? cspr_record_of(w) : cspr_record_new(word, cspr_word_read_cell(cells, w), w);
}

void cspr_check_extent(cspr_check *c, unsigned mask)
{
    cspr_entry e;
    if (mask && cspr_extent_get(c->word, &e) && !cspr_task_knows(c->task, e.id, e.at))
        cspr_check_found(c, &e, mask);
}

// A plain write ordered after everything at its bytes ends the release sequences there: what is acquired later is not what
// was released before.
static void reset_overwritten_syncs(cspr_record *rec, const cspr_check *c, unsigned mask)
{
    for (cspr_sync *s = rec->syncs; s; s = s->next) {
        if (!(mask >> (s->addr & 7) & 1) || (s->clock && !cspr_clock_covers(&c->task->clock, s->clock)) ||
            (s->readers && !cspr_clock_covers(&c->task->clock, s->readers)))
            continue;
        cspr_stamp_unref(s->clock);
        cspr_stamp_unref(s->readers);
        s->clock = s->readers = NULL;
    }
}

static bool all_syncs_empty(const cspr_record *rec)
{
    const cspr_sync *s = rec->syncs;
    while (s && !s->clock && !s->readers)
        s = s->next;
    return !s;
}

CSPR_NOINLINE static void access_aside(cspr_check *c, unsigned mask, uint64_t *cells, uint64_t w)
{
    cspr_record *rec = cspr_word_record(c->word, cells, w);
    if (CSPR_UNLIKELY(cspr_extent_any))
        cspr_check_extent(c, mask & ~cspr_record_written(rec));
    bool changed = cspr_record_access(rec, c, mask);
    if (rec->syncs && c->kind == CSPR_WRITE) {
        reset_overwritten_syncs(rec, c, mask);
        if (mask == 0xff && all_syncs_empty(rec))
            cspr_record_drop_syncs(rec);
    }
    uint64_t read, write;
    if ((changed || !cspr_cell_is_aside(w)) && cspr_record_collapse(rec, &read, &write)) {
        cspr_word_give(cells, read, write);
        return;
    }
    cspr_word_give(cells, cspr_record_cell(rec), cspr_record_cell(rec));
    if (c->epoch)
        filter_add(c->word, mask, c->kind == CSPR_WRITE, c->epoch);
}

// Checks and records the access in one word; mask: its bytes there.
static inline void access_word(cspr_check *c, uintptr_t word, unsigned mask)
{
    if (is_aside_now(word) && filter_has(word, mask, c->kind == CSPR_WRITE, c->epoch))
        return;
    uint64_t *cells = cspr_shadow_of(word);
    uint64_t w = cspr_word_take(cells);
    c->word = word;
    if (CSPR_UNLIKELY(cspr_cell_is_aside(w) || !c->epoch || c->stack >= cspr_depot_cell_limit)) {
        access_aside(c, mask, cells, w);
        return;
    }
    uint64_t r = cspr_word_read_cell(cells, w), old_w = w;
    if (CSPR_UNLIKELY(cspr_extent_any) && (mask & ~cspr_cell_mask(w)))
        cspr_check_extent(c, mask & ~cspr_cell_mask(w));
    bool fits = c->kind == CSPR_WRITE ? write_cells(c, mask, &r, &w) : read_cells(c, mask, &r, &w);
    if (CSPR_LIKELY(fits)) {
        cspr_word_give(cells, r, w);
        return;
    }
    access_aside(c, mask, cells, old_w);
}

static unsigned bytes_mask(uintptr_t offset, size_t size)
{
    return size >= 8 - offset ? 0xffu << offset & 0xff : ((1u << size) - 1) << offset;
}

static void access_words(cspr_check *c)
{
    uintptr_t end = c->addr + c->size;
    for (uintptr_t a = c->addr; a < end;) {
        uintptr_t word = a & ~(uintptr_t)7;
        unsigned mask = bytes_mask(a & 7, end - a);
        const uint64_t *cells = cspr_shadow_of(word);
        // The inline check again, per word: relaxed as there.
        uint64_t want = cspr_cell_of(c->epoch, mask, 0);
        uint64_t seen = __atomic_load_n(&cells[c->kind == CSPR_WRITE], __ATOMIC_RELAXED);
        if (!c->epoch || cspr_cell_epoch(seen) != c->epoch || (seen & want) != want)
            access_word(c, word, mask);
        if (CSPR_UNLIKELY(c->n_found))
            cspr_check_report(c);
        a = word + 8;
    }
}

void cspr_access(uintptr_t addr, size_t size, bool is_write, cspr_stack stack)
{
    cspr_task *t = cspr_task_current();
    if (!t || !size)
        return;
    cspr_enter();
    cspr_check c;
    cspr_check_begin(&c, t, addr, size, is_write ? CSPR_WRITE : CSPR_READ, stack);
    access_words(&c);
    cspr_leave();
}

// --- heap blocks (rule A8) --------------------------------------------------------------------------------------------------

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

static void overwrite_words(cspr_check *c, uintptr_t lo, uintptr_t hi)
{
    for (; lo < hi; lo += 8)
        overwrite_word(c, lo);
}

// Checks the block's words as written by free, then overwrites them.
static void free_words(cspr_check *c, uintptr_t lo, uintptr_t hi)
{
    for (; lo < hi; lo += 8) {
        access_word(c, lo, 0xff);
        if (CSPR_UNLIKELY(c->n_found))
            cspr_check_report(c);
        if (CSPR_UNLIKELY(cspr_cell_is_aside(__atomic_load_n(&cspr_shadow_of(lo)[1], __ATOMIC_RELAXED))))
            overwrite_word(c, lo); // a hint is enough: only sync objects keep a word aside after a write of all of it
    }
}

static void free_touched(uintptr_t lo, uintptr_t hi, void *arg)
{
    cspr_check *c = arg;
    for (uintptr_t a = lo; a < hi; a += 8) {
        const uint64_t *cells = cspr_shadow_of(a);
        if (__atomic_load_n(&cells[0], __ATOMIC_RELAXED) | __atomic_load_n(&cells[1], __ATOMIC_RELAXED))
            free_words(c, a, a + 8); // relaxed: an empty word's history is the extent's, which was checked as a whole
    }
}

static cspr_entry entry_of_check(const cspr_check *c)
{
    return (cspr_entry){
        .at = c->at, .id = c->task->clock.own, .who = c->task->who, .epoch = c->epoch, .stack = c->stack, .mask = 0xff,
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
static bool begin_block(cspr_check *c, uintptr_t *addr, uintptr_t *end, size_t size, cspr_stack stack, cspr_stack_tag tag)
{
    cspr_task *t = cspr_task_current();
    if (!t || !*addr)
        return false;
    cspr_enter();
    cspr_filter_flush();
    cspr_check_begin(c, t, *addr, size, CSPR_WRITE, cspr_depot_tagged(stack, tag));
    *end = (*addr + size + 7) & ~(uintptr_t)7;
    *addr &= ~(uintptr_t)7;
    return true;
}

void cspr_access_alloc(uintptr_t addr, size_t size, cspr_stack stack)
{
    cspr_check c;
    uintptr_t end, from, to;
    if (!begin_block(&c, &addr, &end, size, stack, CSPR_TAG_ALLOC))
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

void cspr_access_free(uintptr_t addr, size_t size, cspr_stack stack)
{
    cspr_check c;
    uintptr_t end, from, to;
    if (!begin_block(&c, &addr, &end, size, stack, CSPR_TAG_FREE))
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

// --- entries from compiled code ---------------------------------------------------------------------------------------------

static inline void enter_access(uintptr_t addr, void *leaf_ret, void *pc, size_t size, bool is_write)
{
    if (CSPR_UNLIKELY(cspr_self.in_rtl | cspr_self.ignore)) {
        if (!cspr_self.ignore)
            count_unchecked();
        return;
    }
    if ((addr & 7) + size <= 8 && is_aside_now(addr) &&
        filter_has(addr & ~(uintptr_t)7, bytes_mask(addr & 7, size), is_write, cspr_cell_epoch(__csp_current)))
        return;
    cspr_task *t = cspr_task_current();
    if (CSPR_UNLIKELY(!t))
        return;
    cspr_self.in_rtl++;
    count_slow();
    cspr_check c;
    cspr_check_begin(&c, t, addr, size, is_write ? CSPR_WRITE : CSPR_READ, cspr_depot_here(pc, leaf_ret));
    if (CSPR_LIKELY((addr & 7) + size <= 8)) {
        access_word(&c, addr & ~(uintptr_t)7, bytes_mask(addr & 7, size));
        cspr_check_report(&c);
    } else {
        access_words(&c);
    }
    cspr_leave();
}

#define CSP_ABI_COLD(name, bytes, is_write, kind)                                                                         \
    CSPR_INTERFACE __attribute__((preserve_most)) void name(void *addr, void *leaf_ret);                                  \
    CSPR_INTERFACE __attribute__((preserve_most)) void name(void *addr, void *leaf_ret)                                   \
    {                                                                                                                     \
        enter_access((uintptr_t)addr, leaf_ret, __builtin_return_address(0), bytes, is_write);                            \
    }
#include "abi.inc"

CSPR_INTERFACE void __csp_read_range(const void *addr, size_t size, void *leaf_ret);
CSPR_INTERFACE void __csp_read_range(const void *addr, size_t size, void *leaf_ret)
{
    if (size)
        enter_access((uintptr_t)addr, leaf_ret, __builtin_return_address(0), size, false);
}

CSPR_INTERFACE void __csp_write_range(void *addr, size_t size, void *leaf_ret);
CSPR_INTERFACE void __csp_write_range(void *addr, size_t size, void *leaf_ret)
{
    if (size)
        enter_access((uintptr_t)addr, leaf_ret, __builtin_return_address(0), size, true);
}
