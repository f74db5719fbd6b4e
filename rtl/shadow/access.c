// access.c - the slow path: what happens to a word when the inline check says "not known yet".
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Per byte this is FastTrack: an access races with every earlier conflicting one its task's clock does not cover, and the
// last write and last reads of a byte are kept. Two cells hold that while one epoch wrote and one read, or several read the
// same bytes (readset.h); else the word goes aside (side.h). A same-epoch access that is covered needs nothing: whoever could
// race with it races with the first one.
// Entries made from compiled code are preserve_most: the caller's spills are in its cold block, not around every access.
#include "shadow/access.h"

#include "clock/everyone.h"
#include "shadow/depot.h"
#include "shadow/extent.h"
#include "shadow/filter.h"
#include "shadow/readset.h"
#include "shadow/reread.h"
#include "shadow/shadow.h"
#include "sync/sem.h"

// --- one word -------------------------------------------------------------------------------------------------------------

#define MASK_BITS (0xffull << CSPR_MASK_SHIFT)

void cspr_check_begin(cspr_check *c, cspr_task *t, uintptr_t addr, size_t size, cspr_access_kind kind, cspr_stack stack)
{
    c->task = t;
    c->addr = addr;
    c->size = size;
    c->element = c->step = 0;
    c->epoch = cspr_task_name_epoch(t);
    c->at = t->at;
    cspr_check_set_stack(c, stack);
    c->kind = kind;
    c->n_found = 0;
}

static bool cell_is_known(const cspr_check *c, uint64_t cell)
{
    return cspr_task_knows_epoch(c->task, cspr_cell_epoch(cell));
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

static inline void check_read_cell(cspr_check *c, uint64_t cell, unsigned mask)
{
    if (!cspr_cell_is_shared(cell)) {
        check_cell(c, cell, mask, CSPR_READ);
        return;
    }
    const cspr_readset *set = cspr_readset_of(cell);
    for (uint32_t i = 0; i < set->n; i++)
        check_cell(c, set->member[i] | (cell & MASK_BITS), mask, CSPR_READ);
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

// Whether nobody can race any more with what a cell says; c->task knows it.
static inline bool is_known_to_all(const cspr_check *c, uint64_t cell)
{
    if (!cspr_cell_is_shared(cell))
        return cell_is_known(c, cell) && cspr_everyone_knows(c->task, cspr_cell_epoch(cell));
    const cspr_readset *set = cspr_readset_of(cell);
    for (uint32_t i = 0; i < set->n; i++)
        if (!cell_is_known(c, set->member[i]) || !cspr_everyone_knows(c->task, cspr_cell_epoch(set->member[i])))
            return false;
    return true;
}

// Both return false, having changed nothing, when the word has to go aside.
static inline bool write_cells(cspr_check *c, unsigned mask, uint64_t *r, uint64_t *w)
{
    uint64_t write;
    if (!(cspr_cell_mask(*w) & ~mask))
        write = cspr_cell_of(c->epoch, mask, c->stack);
    else if (cspr_cell_epoch(*w) != c->epoch) {
        if (!is_known_to_all(c, *w))
            return false;
        write = cspr_cell_of(c->epoch, mask, c->stack);
    } else if (!(write = merged_cell(c, *w, mask)))
        return false;
    check_cell(c, *w, mask, CSPR_WRITE);
    check_read_cell(c, *r, mask);
    *w = write;
    // What we wrote over need not be remembered as read, except by ourselves: that spares our next read a slow entry.
    if (cspr_cell_epoch(*r) != c->epoch)
        *r = cspr_cell_drop(*r, mask);
    return true;
}

// Reads that another epoch or several have made, and now ours: those we are not ordered after, and we. 0: not one cell.
static uint64_t shared_cell(const cspr_check *c, uint64_t r, unsigned mask)
{
    uint64_t member[CSPR_READSET_MAX + 1];
    const cspr_readset *set = cspr_cell_is_shared(r) ? cspr_readset_of(r) : NULL;
    unsigned n = 0;
    bool reread = false;
    for (uint32_t i = 0; i < (set ? set->n : 1); i++) {
        member[n] = (set ? set->member[i] : r) & ~MASK_BITS;
        reread |= cspr_epoch_run(cspr_cell_epoch(member[n]))->id == c->task->clock.own;
        if (!cell_is_known(c, member[n]))
            n++;
    }
    if (!n) // all that was read happened before
        return cspr_cell_mask(r) & ~mask && !is_known_to_all(c, r) ? 0 : cspr_cell_of(c->epoch, mask, c->stack);
    if (n == CSPR_READSET_MAX || cspr_cell_mask(r) != mask || reread || !cspr_readset_pays()) // reread: see side.c
        return 0;
    member[n++] = cspr_cell_of(c->epoch, 0, c->stack);
    return cspr_readset_cell(member, n, mask);
}

static inline bool read_cells(cspr_check *c, unsigned mask, uint64_t *r, uint64_t *w)
{
    uint64_t read;
    if (cspr_readset_covers(*r, mask, c->epoch))
        return true;
    if (!*r)
        read = cspr_cell_of(c->epoch, mask, c->stack);
    else if (cspr_cell_epoch(*r) == c->epoch)
        read = merged_cell(c, *r, mask);
    else
        read = shared_cell(c, *r, mask);
    if (!read) // fine if our own write covers it (A10): others' reads of other bytes have the cell
        return cspr_cell_epoch(*w) == c->epoch && !(mask & ~cspr_cell_mask(*w));
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
    uint64_t changes = __atomic_load_n(&cspr_extent_changes, __ATOMIC_ACQUIRE); // before the lookup
    if (!mask)
        return;
    if (cspr_extent_get(c->word, &e) && !cspr_task_knows(c->task, e.id, e.at))
        cspr_check_found(c, &e, mask);
    else
        cspr_extent_note_known(c->word, c->epoch, changes);
}

// A plain write ordered after everything at its bytes ends the release sequences there: what is acquired later is not what
// was released before.
static void reset_overwritten_syncs(cspr_record *rec, const cspr_check *c, unsigned mask)
{
    for (cspr_sync *s = rec->syncs; s; s = s->next) {
        if (!(mask >> (s->addr & 7) & 1) || (s->clock && !cspr_clock_covers(&c->task->clock, s->clock)) ||
            (s->readers && !cspr_clock_covers(&c->task->clock, s->readers)) || !cspr_sem_units_known(s, c->task))
            continue;
        cspr_sync_clear(s);
    }
}

static bool all_syncs_empty(const cspr_record *rec)
{
    const cspr_sync *s = rec->syncs;
    while (s && !s->clock && !s->readers && !s->units)
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
    bool tries = c->kind == CSPR_READ ? !cspr_record_stays(rec) : changed || !cspr_cell_is_aside(w);
    if (tries && cspr_record_collapse(rec, c->task, &read, &write)) {
        cspr_word_give(cells, read, write);
        return;
    }
    cspr_word_give(cells, cspr_record_cell(rec), cspr_record_cell(rec));
    if (c->epoch)
        cspr_filter_add(c->word, mask, c->kind == CSPR_WRITE, c->epoch);
}

// The short way: nothing to check in either cell, and the new record fits. Gives the word back; false: it is still taken.
static inline __attribute__((always_inline)) bool record_settled(uint64_t *cells, uint64_t w, uintptr_t word,
                                                                 unsigned mask, bool is_write, cspr_task *t,
                                                                 uint32_t epoch, cspr_stack stack)
{
    uint64_t r = __atomic_load_n(&cells[0], __ATOMIC_RELAXED); // relaxed: the word is ours
    if (cspr_cell_says_less(r, w) && cspr_cell_epoch(r) != epoch)
        r = 0;
    if (CSPR_UNLIKELY(cspr_cell_is_rest(r)))
        return cspr_word_piece(cells, r, w, word, mask, is_write, t, epoch, stack);
    if (!cspr_cell_is_settled(t, w, epoch) || !cspr_cell_is_settled(t, r, epoch))
        return false;
    if (CSPR_UNLIKELY(cspr_extent_any) && (mask & ~cspr_cell_mask(w)) && !cspr_extent_is_known(word, epoch))
        return false;
    uint64_t old = is_write ? w : r;
    unsigned old_mask = cspr_cell_mask(old), kept = old_mask & ~mask;
    if (kept) {
        if (cspr_cell_epoch(old) == epoch)
            stack = cspr_depot_composite(cspr_cell_stack(old), old_mask, stack, mask & ~old_mask); // rule A2
        else if (cspr_everyone_knows(t, cspr_cell_epoch(old)))
            kept = 0; // nobody can race with those
        else {
            cspr_word_split(cells, r, w, word, mask, is_write, t, epoch, stack);
            return true;
        }
    }
    if (CSPR_UNLIKELY(stack >= cspr_depot_cell_limit))
        return false;
    uint64_t fresh = cspr_cell_of(epoch, mask | kept, stack);
    if (is_write) {
        uint64_t rest = cspr_cell_epoch(r) == epoch ? r : cspr_cell_drop(r, mask);
        cspr_word_give(cells, cspr_cell_beside(rest, fresh), fresh);
    } else {
        cspr_word_give(cells, fresh, w);
    }
    if (!(r | w))
        cspr_shadow_met(word);
    return true;
}

// The short ways of a word aside (side.h). Gives the word back; false: it is still taken.
CSPR_NOINLINE static bool record_aside(uint64_t *cells, uint64_t w, uintptr_t word, unsigned mask, bool is_write,
                                       cspr_task *t, uint32_t epoch, cspr_stack stack)
{
    cspr_record *rec = cspr_record_of(w);
    uint64_t read, write;
    if (CSPR_UNLIKELY(is_write && rec->spread))
        cspr_reread_recall(rec);
    bool in_place = !is_write && (cspr_record_stays(rec) || cspr_reread_is_near(t, word, mask));
    cspr_shared_reads += in_place && !rec->reread;
    if (rec->syncs && is_write) // release sequences may end
        return false;
    if (CSPR_UNLIKELY(cspr_extent_any) && (mask & ~cspr_record_written(rec)) && !cspr_extent_is_known(word, epoch))
        return false;
    if (!(in_place ? cspr_record_reread(rec, t, epoch, mask, stack)
                   : cspr_record_piece(rec, t, epoch, mask, is_write, stack)))
        return false;
    if ((is_write || !cspr_record_stays(rec)) && cspr_record_fits(rec, &read, &write)) {
        cspr_record_free(rec);
        if (is_write && !read) // it was written piece by piece, and may be read by its writer next
            read = cspr_cell_beside(0, write);
        cspr_word_give(cells, read, write);
        return true;
    }
    cspr_word_give(cells, w, w);
    cspr_filter_add(word, mask, is_write, epoch);
    return true;
}

// A word with a rest that has to go aside does so here, since most are accesses that a record has a short way for, too.
CSPR_NOINLINE static bool record_rest(uint64_t *cells, uint64_t w, uintptr_t word, unsigned mask, bool is_write,
                                      cspr_task *t, uint32_t epoch, cspr_stack stack)
{
    w = cspr_record_cell(cspr_word_record(word, cells, w));
    cspr_word_put(cells, w, w);
    return record_aside(cells, w, word, mask, is_write, t, epoch, stack);
}

// Gives the word back; false: it is still taken, perhaps aside.
static inline __attribute__((always_inline)) bool record_short(uint64_t *cells, uint64_t w, uintptr_t word,
                                                               unsigned mask, bool is_write, cspr_task *t,
                                                               uint32_t epoch, cspr_stack stack)
{
    if (cspr_cell_is_aside(w))
        return record_aside(cells, w, word, mask, is_write, t, epoch, stack);
    if (CSPR_LIKELY(record_settled(cells, w, word, mask, is_write, t, epoch, stack)))
        return true;
    return cspr_cell_is_rest(__atomic_load_n(&cells[0], __ATOMIC_RELAXED)) && // relaxed: the word is ours
           record_rest(cells, w, word, mask, is_write, t, epoch, stack);
}

// The word is taken.
static void access_taken(cspr_check *c, uint64_t *cells, uintptr_t word, unsigned mask)
{
    uint64_t w = cspr_word_write_cell(cells);
    c->word = word;
    if (CSPR_UNLIKELY(cspr_cell_is_aside(w) || !c->epoch || c->stack >= cspr_depot_cell_limit)) {
        access_aside(c, mask, cells, w);
        return;
    }
    uint64_t r = cspr_word_read_cell(cells, w), old_w = w; // no rest: the short way, tried before, left none
    if (CSPR_UNLIKELY(cspr_extent_any) && (mask & ~cspr_cell_mask(w)))
        cspr_check_extent(c, mask & ~cspr_cell_mask(w));
    bool fits = c->kind == CSPR_WRITE ? write_cells(c, mask, &r, &w) : read_cells(c, mask, &r, &w);
    if (CSPR_LIKELY(fits))
        cspr_word_give(cells, r, w);
    else
        access_aside(c, mask, cells, old_w);
}

void cspr_check_word(cspr_check *c, uintptr_t word, unsigned mask)
{
    bool is_write = c->kind == CSPR_WRITE;
    if (is_write && cspr_is_aside_now(word) && cspr_filter_has(word, mask, is_write, c->epoch))
        return;
    if (!is_write && c->task->rereads && c->epoch && !c->is_tls &&
        cspr_reread_word(c->task, word, mask, c->epoch, c->stack))
        return;
    uint64_t *cells = cspr_shadow_of(word), w = cspr_word_take(cells);
    if (!c->epoch || !record_short(cells, w, word, mask, is_write, c->task, c->epoch, c->stack))
        access_taken(c, cells, word, mask);
}

static unsigned bytes_mask(uintptr_t offset, size_t size)
{
    return size >= 8 - offset ? 0xffu << offset & 0xff : ((1u << size) - 1) << offset;
}

// The inline check, and what it cannot see: words aside. Relaxed loads, as in compiled code.
static inline bool says_recorded(uint64_t cell, unsigned mask, uint64_t current)
{
    return !((cell ^ current) & (~0ull << CSPR_EPOCH_SHIFT | (uint64_t)mask << CSPR_MASK_SHIFT));
}

static inline bool is_recorded(uintptr_t addr, unsigned mask, bool is_write, uint64_t current)
{
    const uint64_t *cells = cspr_shadow_of(addr);
    uint64_t cell = __atomic_load_n(&cells[is_write], __ATOMIC_RELAXED);
    if (says_recorded(cell, mask, current))
        return true;
    if (!is_write && cspr_cell_is_rest(cell)) // our own write beside it covers what it wrote (A10)
        return says_recorded(__atomic_load_n(&cells[1], __ATOMIC_RELAXED), mask, current);
    if (cspr_cell_is_aside(cell) && cspr_is_aside_now(addr)) // a read that comes again and again looks for a read set
        return cspr_filter_has(addr & ~(uintptr_t)7, mask, is_write, cspr_cell_epoch(current)) &&
               (is_write || ++cspr_shared_reads % CSPR_LOOK_AGAIN);
    return !is_write && cspr_readset_covers(cell, mask, cspr_cell_epoch(current));
}

// Whole words from a on that this epoch has recorded, as the inline check sees it; returns where to look closer.
// Four at a time: copies of what was just used, and loops over it, are common.
static uintptr_t skip_recorded(uintptr_t a, uintptr_t end, bool is_write, uint64_t current)
{
    const uint64_t *cell = cspr_shadow_of(a) + is_write;
    uint64_t shared = is_write ? current : __csp_current_shared;
    for (; a + 32 <= end; a += 32, cell += 8) {
        uint64_t differs = 0, from_shared = 0;
        for (unsigned i = 0; i < 8; i += 2) {
            uint64_t value = __atomic_load_n(&cell[i], __ATOMIC_RELAXED); // relaxed: as the inline check
            differs |= value ^ current;
            from_shared |= value ^ shared;
        }
        if (differs >> CSPR_MASK_SHIFT && (is_write || from_shared >> CSPR_SET_VARIANT_BITS))
            break;
    }
    return a;
}

// Whether the epoch has recorded the read in a slot (reread.h).
static bool is_in_slot(uintptr_t addr, unsigned mask, uint64_t current)
{
    const cspr_task *t = cspr_self.task;
    if (!t || !t->rereads)
        return false;
    cspr_self.in_rtl++;
    const uint64_t *slot = cspr_reread_slot(t, addr, mask);
    // Relaxed: our own, or empty.
    bool covered = slot && cspr_reread_covers(__atomic_load_n(slot, __ATOMIC_RELAXED), mask, cspr_cell_epoch(current));
    cspr_leave();
    return covered;
}

bool cspr_is_recorded(uintptr_t addr, size_t size, bool is_write)
{
    uint64_t current = __csp_current;
    uintptr_t end = addr + size;
    if (current == CSPR_CURRENT_NOBODY)
        return false;
    if (size > CSPR_LINE_APP_BYTES && cspr_shadow_is_fresh(cspr_shadow_of(addr))) // M1 of marks.c
        return false;
    for (uintptr_t a = addr; a < end; a = (a & ~(uintptr_t)7) + 8) {
        if (!(a & 7) && a + 32 <= end && (a = skip_recorded(a, end, is_write, current)) >= end)
            break;
        unsigned mask = bytes_mask(a & 7, end - a);
        if (!is_recorded(a, mask, is_write, current) && (is_write || !is_in_slot(a, mask, current)))
            return false;
    }
    return true;
}

// Those up to end, which lie in one block of a mark.
static void check_block(cspr_check *c, uintptr_t a, uintptr_t end, uint64_t current)
{
    bool is_write = c->kind == CSPR_WRITE;
    cspr_shadow_touch(cspr_shadow_of(a));
    while (a < end) {
        if (!(a & 31) && (a = skip_recorded(a, end, is_write, current)) >= end)
            break;
        size_t done = a == c->addr || !(a & 31) ? cspr_check_lines(c, a, end) : 0;
        if (done) {
            a += done;
            continue;
        }
        uintptr_t word = a & ~(uintptr_t)7;
        unsigned mask = bytes_mask(a & 7, end - a);
        if (!is_recorded(word, mask, is_write, current))
            cspr_check_word(c, word, mask);
        cspr_check_report(c);
        a = word + 8;
    }
}

void cspr_check_words(cspr_check *c)
{
    enum { USER_BITS = 56 }; // of an address; above them is the kernel's: the program will see for itself
    uintptr_t end = c->addr + c->size;
    if (CSPR_UNLIKELY(end < c->addr || (end - 1) >> USER_BITS))
        return;
    uint64_t current = c->epoch ? cspr_cell_of(c->epoch, 0xff, 0) : CSPR_CURRENT_NOBODY;
    for (uintptr_t a = c->addr, next; a < end; a = next) {
        next = (a & ~(uintptr_t)(CSPR_MARK_APP_BYTES - 1)) + CSPR_MARK_APP_BYTES;
        next = next < end ? next : end;
        check_block(c, a, next, current);
    }
}

// --- entries ----------------------------------------------------------------------------------------------------------------

// What the short way does not settle. The word, if any, is taken.
CSPR_NOINLINE static void enter_slow(cspr_task *t, uintptr_t addr, size_t size, bool is_write, cspr_stack stack,
                                     uint64_t *taken)
{
    cspr_check c;
    cspr_check_begin(&c, t, addr, size, is_write ? CSPR_WRITE : CSPR_READ, stack);
    if (taken)
        access_taken(&c, taken, addr & ~(uintptr_t)7, bytes_mask(addr & 7, size));
    else
        cspr_check_words(&c);
    cspr_check_report(&c);
}

static inline __attribute__((always_inline)) void record(cspr_task *t, uintptr_t addr, size_t size, bool is_write,
                                                         cspr_stack stack)
{
    uint64_t *cells = NULL;
    bool done = false;
    uint32_t epoch = cspr_task_name_epoch(t);
    // The short way stores plain stacks; what is the OS thread's own is marked as such.
    if ((addr & 7) + size <= 8 && epoch && !cspr_in_own_tls(addr)) {
        uintptr_t word = addr & ~(uintptr_t)7;
        unsigned mask = bytes_mask(addr & 7, size);
        cells = cspr_shadow_of(addr);
        uint64_t w = cspr_word_take(cells);
        done = record_short(cells, w, word, mask, is_write, t, epoch, stack);
    }
    if (!done)
        enter_slow(t, addr, size, is_write, stack, cells);
}

// A read of bytes of one word that the task reads again and again (reread.h).
static bool reread_is_done(cspr_task *t, uintptr_t addr, size_t size, cspr_stack stack)
{
    uint32_t epoch = cspr_task_name_epoch(t);
    return t->rereads && epoch && (addr & 7) + size <= 8 && !cspr_in_own_tls(addr) &&
           cspr_reread_word(t, addr & ~(uintptr_t)7, bytes_mask(addr & 7, size), epoch, stack);
}

void cspr_access(uintptr_t addr, size_t size, bool is_write, cspr_stack stack)
{
    cspr_task *t = cspr_task_current();
    if (!t || !size || t->ignored[is_write])
        return;
    if (CSPR_UNLIKELY(addr / CSPR_PAGE_APP_BYTES != t->hook_page)) { // mostly the first of a new coroutine's stack
        t->hook_page = addr / CSPR_PAGE_APP_BYTES;
        cspr_shadow_touch(cspr_shadow_of(addr));
    }
    if (size <= 8 && cspr_is_recorded(addr, size, is_write))
        return;
    cspr_enter();
    stack = cspr_depot_locked(stack, cspr_task_locks(t));
    if (is_write || !reread_is_done(t, addr, size, stack))
        record(t, addr, size, is_write, stack);
    cspr_leave();
}

// --- entries from compiled code ---------------------------------------------------------------------------------------------

static inline cspr_stack stack_of(cspr_task *t, void *leaf_ret, void *pc)
{
    uint32_t locks = cspr_task_locks(t);
    return CSPR_UNLIKELY(locks) ? cspr_depot_here_locked(pc, leaf_ret, locks) : cspr_depot_here(pc, leaf_ret);
}

// Preserves registers, so that its callers need not make room for what it would change.
CSPR_NOINLINE __attribute__((preserve_most, cold)) static void pass_point(uintptr_t addr, void *pc, bool is_write)
{
    cspr_control_point_at(is_write ? CSP_OP_WRITE : CSP_OP_READ, (const void *)(addr & ~(uintptr_t)7), pc);
}

// A read of bytes of one word that the task reads again and again (reread.h): most of those are recorded without taking the word.
static inline __attribute__((always_inline)) bool read_again(cspr_task *t, uintptr_t addr, size_t size, void *leaf_ret,
                                                             void *pc)
{
    bool done = false;
    cspr_self.in_rtl++; // a signal's handler that changed the table of slots while we look into it
    uint32_t epoch = cspr_task_name_epoch(t);
    unsigned mask = bytes_mask(addr & 7, size);
    uint64_t *slot = cspr_reread_slot(t, addr, mask);
    uint64_t old = slot ? __atomic_load_n(slot, __ATOMIC_RELAXED) : 0; // relaxed: our own, or empty
    bool covered = cspr_reread_covers(old, mask, epoch);
    if ((covered || cspr_reread_may_replace(old, mask)) && epoch && !cspr_in_own_tls(addr)) {
        if (CSPR_UNLIKELY(cspr_reread_is_due(covered)))
            cspr_reread_look_again(addr & ~(uintptr_t)7);
        else
            done = covered || cspr_reread_replace(slot, old, mask, epoch, stack_of(t, leaf_ret, pc));
    }
    if (done && !covered)
        cspr_count_slow();
    cspr_leave();
    return done;
}

static inline __attribute__((always_inline)) void enter_access(uintptr_t addr, void *leaf_ret, void *pc, size_t size,
                                                               bool is_write)
{
    if (CSPR_UNLIKELY(cspr_control_everywhere))
        pass_point(addr, pc, is_write);
    cspr_task *t = cspr_self.task;
    if (CSPR_UNLIKELY(cspr_self.in_rtl | cspr_self.ignore | !t) && !(t = cspr_enter_unknown()))
        return;
    bool one_word = (addr & 7) + size <= 8;
    if (!is_write && one_word && t->rereads && !t->ignored[is_write] && read_again(t, addr, size, leaf_ret, pc))
        return;
    uint64_t current = __csp_current;
    uintptr_t next = (addr & ~(uintptr_t)7) + 8;
    if (size <= 8 && is_recorded(addr, bytes_mask(addr & 7, size), is_write, current) &&
        (one_word || is_recorded(next, bytes_mask(0, addr + size - next), is_write, current)))
        return;
    cspr_self.in_rtl++;
    cspr_count_slow();
    if (CSPR_LIKELY(!t->ignored[is_write])) {
        record(t, addr, size, is_write, stack_of(t, leaf_ret, pc));
    }
    cspr_leave();
}

#define CSP_ABI_COLD(name, bytes, is_write, kind)                                                                      \
    CSPR_INTERFACE __attribute__((preserve_most)) void name(void *addr, void *leaf_ret);                               \
    CSPR_INTERFACE __attribute__((preserve_most)) void name(void *addr, void *leaf_ret)                                \
    {                                                                                                                  \
        enter_access((uintptr_t)addr, leaf_ret, __builtin_return_address(0), bytes, is_write);                         \
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
