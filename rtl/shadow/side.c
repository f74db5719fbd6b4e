// side.c - side records: sets of entries, and what replaces what.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Rule A1: an access may replace an older record only when it is ordered after it (or the pair was just reported) and at
//          least as strong: whatever conflicts with the old one conflicts with the new one too.
//          plain write > plain read > atomic read;  plain write > atomic write > atomic read.
// Invariants:  I1 of each byte at most one plain write is kept   I2 an indexed set's entries move only in rebuild
#include "shadow/side.h"
#include "deadlock/lock_order.h"

#include "clock/everyone.h"
#include "shadow/depot.h"
#include "shadow/readset.h"
#include "shadow/reread.h"
#include "shadow/shadow.h"
#include "support/alloc.h"
#include "support/lock.h"
#include "sync/sem.h"

#include <string.h>

enum { RECORD_BITS = 28, HASH_SPREAD = 4 };

static cspr_record *records;
static uint32_t n_records = 1; // atomic
static uint32_t n_free;        // under free_lock
static uint32_t free_head;     // under free_lock
static cspr_lock free_lock;

// A thread's own few, which it takes and gives back without the lock.
enum { SPARES = 16 };
static __thread struct {
    uint32_t n, record[SPARES];
} spare __attribute__((tls_model("initial-exec")));

void cspr_side_init(void)
{
    if (!records)
        records = cspr_reserve(sizeof(cspr_record) << RECORD_BITS);
}

uint64_t cspr_side_count(void)
{
    return n_records - 1 - n_free - spare.n; // a statistic: read without the lock; other threads' spares count as used
}

// --- sets -----------------------------------------------------------------------------------------------------------------

static uint32_t hash_of(uint32_t id)
{
    return id * 0x9e3779b1u >> HASH_SPREAD;
}

static void index_entry(cspr_set *s, uint32_t pos)
{
    uint32_t i = hash_of(s->entry[pos].id);
    while (s->index[i & (s->n_index - 1)])
        i++;
    s->index[i & (s->n_index - 1)] = pos + 1;
}

static bool in_record(const cspr_record *rec, const void *p)
{
    return (uintptr_t)p - (uintptr_t)rec < sizeof *rec;
}

static void drop_index(cspr_set *s)
{
    cspr_free(s->index, s->n_index * sizeof *s->index);
    s->index = NULL;
    s->n_index = 0;
}

static void rebuild_index(cspr_set *s)
{
    drop_index(s);
    if (s->n <= CSPR_SET_LINEAR)
        return;
    s->n_index = 4;
    while (s->n_index < 2 * s->cap)
        s->n_index *= 2;
    s->index = cspr_alloc(s->n_index * sizeof *s->index);
    for (uint32_t i = 0; i < s->n; i++)
        index_entry(s, i);
}

// The entry added last.
static void index_last(cspr_set *s)
{
    if (s->index)
        index_entry(s, s->n - 1);
    else if (s->n > CSPR_SET_LINEAR)
        rebuild_index(s);
}

static void clear_set(cspr_record *rec, cspr_set *s, cspr_entry *room, uint32_t cap)
{
    drop_index(s);
    if (s->entry && !in_record(rec, s->entry))
        cspr_free(s->entry, s->cap * sizeof *s->entry);
    *s = (cspr_set){.entry = room, .cap = cap};
}

// One id's entries, also those that no longer count: all of a small set, the index's hits of a large one.
typedef struct walk {
    const cspr_set *set;
    uint32_t id, i;
} walk;

static walk walk_own(const cspr_set *s, uint32_t id)
{
    return (walk){s, id, s->index ? hash_of(id) : 0};
}

static cspr_entry *walk_next(walk *w)
{
    const cspr_set *s = w->set;
    if (!s->index) {
        while (w->i < s->n) {
            cspr_entry *e = &s->entry[w->i++];
            if (e->id == w->id)
                return e;
        }
        return NULL;
    }
    for (uint32_t pos; (pos = s->index[w->i & (s->n_index - 1)]) != 0;) {
        w->i++;
        if (s->entry[pos - 1].id == w->id)
            return &s->entry[pos - 1];
    }
    return NULL;
}

static bool conflicts(cspr_access_kind a, cspr_access_kind b)
{
    bool writes = a == CSPR_WRITE || a == CSPR_ATOMIC_WRITE || b == CSPR_WRITE || b == CSPR_ATOMIC_WRITE;
    bool both_atomic = a >= CSPR_ATOMIC_READ && b >= CSPR_ATOMIC_READ;
    return writes && !both_atomic;
}

static bool as_strong(cspr_access_kind fresh, cspr_access_kind old)
{
    return fresh == CSPR_WRITE || fresh == old || old == CSPR_ATOMIC_READ;
}

void cspr_check_found(cspr_check *c, const cspr_entry *previous, unsigned mask)
{
    for (uint32_t i = 0; i < c->n_found; i++)
        if (c->found[i].word == c->word)
            mask &= ~(unsigned)c->found[i].previous.mask;
    while (mask && c->n_found < CSPR_MAX_FOUND) {
        unsigned whole; // a composite stack: one race per component
        cspr_stack stack = cspr_depot_component(previous->stack, mask, previous->mask, &whole);
        if (c->is_tls && cspr_depot_is_tls(stack)) { // ordered: the same OS thread did both
            mask &= ~whole;
            continue;
        }
        cspr_found *f = &c->found[c->n_found++];
        *f = (cspr_found){c->word, *previous, (uint8_t)whole};
        f->previous.stack = stack;
        f->previous.mask = (uint8_t)(whole & mask);
        mask &= ~whole;
    }
}

// One older entry against the new access: a race, replaced, both or neither.
static void meet(cspr_check *c, cspr_entry *e, unsigned mask)
{
    if (!(e->mask & mask))
        return;
    bool conflict = conflicts(c->kind, e->kind);
    bool known = cspr_task_knows(c->task, e->id, e->at);
    if (known && e->epoch)
        cspr_epoch_note_known(e->epoch);
    if (conflict && !known)
        cspr_check_found(c, e, e->mask & mask);
    if ((known || conflict) && as_strong(c->kind, e->kind))
        e->mask &= (uint8_t)~mask;
}

static void meet_own(cspr_check *c, cspr_set *s, unsigned mask)
{
    walk w = walk_own(s, c->task->clock.own);
    for (cspr_entry *e; (e = walk_next(&w)) != NULL;)
        meet(c, e, mask);
}

// Lets go of entries that no longer count. An indexed set is packed only when it is empty or has to grow.
static void pack(cspr_record *rec, cspr_set *s, cspr_entry *room, uint32_t cap, bool now)
{
    uint32_t live = 0;
    if (s->index && !now) {
        while (live < s->n && !s->entry[live].mask)
            live++;
        if (live == s->n)
            clear_set(rec, s, room, cap);
        return;
    }
    for (uint32_t i = 0; i < s->n; i++)
        if (s->entry[i].mask)
            s->entry[live++] = s->entry[i];
    s->n = live;
    if (s->index)
        rebuild_index(s);
}

static void meet_all(cspr_record *rec, cspr_check *c, cspr_set *s, unsigned mask, cspr_entry *room, uint32_t cap)
{
    if (!s->n)
        return;
    for (uint32_t i = 0; i < s->n; i++)
        meet(c, &s->entry[i], mask);
    pack(rec, s, room, cap, false);
}

static void enlarge(cspr_record *rec, cspr_set *s)
{
    uint32_t cap = s->cap ? s->cap * 2 : CSPR_SET_ROOM;
    cspr_entry *bigger = cspr_alloc(cap * sizeof *bigger);
    memcpy(bigger, s->entry, s->n * sizeof *bigger);
    if (s->entry && !in_record(rec, s->entry))
        cspr_free(s->entry, s->cap * sizeof *bigger);
    s->entry = bigger;
    s->cap = cap;
    rebuild_index(s);
}

static void grow_set(cspr_record *rec, cspr_check *c, cspr_set *s, unsigned mask)
{
    // A big set was not scanned for what the new entry may replace: do it now, at a cost shared by those that filled it.
    for (uint32_t i = 0; i < s->n; i++)
        meet(c, &s->entry[i], mask);
    pack(rec, s, s->entry, s->cap, true);
    if (s->n * 2 >= s->cap)
        enlarge(rec, s);
}

static void add(cspr_record *rec, cspr_check *c, cspr_set *s, unsigned mask)
{
    walk w = walk_own(s, c->task->clock.own);
    cspr_entry *done = NULL;
    for (cspr_entry *e; (e = walk_next(&w)) != NULL;) {
        if (e->at == c->at && e->stack == c->stack && e->kind == c->kind) {
            e->mask |= (uint8_t)mask;
            return;
        }
        if (!e->mask)
            done = e;
    }
    const cspr_entry fresh = {
        .at = c->at,
        .id = c->task->clock.own,
        .who = c->task->who,
        .epoch = c->epoch,
        .stack = c->stack,
        .mask = (uint8_t)mask,
        .kind = (uint8_t)c->kind,
    };
    if (done) { // its place in the index is ours: else one's own old entries would pile up there
        *done = fresh;
        return;
    }
    if (s->n == s->cap)
        grow_set(rec, c, s, mask);
    s->entry[s->n++] = fresh;
    index_last(s);
}

// Bytes of mask that an access of this very epoch, at least as strong, has already covered.
static unsigned covered_by_own(const cspr_set *s, const cspr_check *c)
{
    unsigned covered = 0;
    walk w = walk_own(s, c->task->clock.own);
    for (const cspr_entry *e; (e = walk_next(&w)) != NULL;)
        if (e->at == c->at && as_strong(e->kind, c->kind))
            covered |= e->mask;
    return covered;
}

// The running task read these bytes in an earlier epoch, and others did: unordered, or by turns with it.
static void note_rereads(cspr_record *rec, const cspr_check *c, unsigned mask)
{
    bool earlier = false, others = false, unknown = false;
    for (uint32_t i = 0; i < rec->reads.n; i++) {
        const cspr_entry *e = &rec->reads.entry[i];
        if (!(e->mask & mask))
            continue;
        if (e->id == c->task->clock.own) {
            earlier |= e->at != c->at;
            continue;
        }
        others = true;
        unknown |= !cspr_task_knows(c->task, e->id, e->at);
    }
    rec->reread = earlier && unknown;
    rec->by_turns |= earlier && others;
}

static bool access_plain_read(cspr_record *rec, cspr_check *c, unsigned mask)
{
    if (!(mask & ~(covered_by_own(&rec->reads, c) | covered_by_own(&rec->writes, c))))
        return false;
    if (!rec->reread && !rec->spread && !rec->reads.index && cspr_flags.reread_in_place)
        note_rereads(rec, c, mask);
    for (uint32_t i = 0; i < rec->writes.n; i++)
        meet(c, &rec->writes.entry[i], mask);
    meet_all(rec, c, &rec->atomics, mask, NULL, 0);
    if (rec->reads.index)
        meet_own(c, &rec->reads, mask);
    else
        meet_all(rec, c, &rec->reads, mask, rec->read_room, CSPR_SET_ROOM);
    add(rec, c, &rec->reads, mask);
    return true;
}

static bool access_plain_write(cspr_record *rec, cspr_check *c, unsigned mask)
{
    if (!(mask & ~covered_by_own(&rec->writes, c)))
        return false;
    meet_all(rec, c, &rec->writes, mask, rec->write_room, CSPR_SET_ROOM);
    meet_all(rec, c, &rec->reads, mask, rec->read_room, CSPR_SET_ROOM);
    meet_all(rec, c, &rec->atomics, mask, NULL, 0);
    add(rec, c, &rec->writes, mask);
    return true;
}

static bool access_atomic(cspr_record *rec, cspr_check *c, unsigned mask)
{
    if (!(mask & ~covered_by_own(&rec->atomics, c)))
        return false;
    for (uint32_t i = 0; i < rec->writes.n; i++)
        meet(c, &rec->writes.entry[i], mask);
    if (c->kind == CSPR_ATOMIC_WRITE)
        meet_all(rec, c, &rec->reads, mask, rec->read_room, CSPR_SET_ROOM);
    if (rec->atomics.index)
        meet_own(c, &rec->atomics, mask);
    else
        meet_all(rec, c, &rec->atomics, mask, NULL, 0);
    add(rec, c, &rec->atomics, mask);
    return true;
}

bool cspr_record_access(cspr_record *rec, cspr_check *c, unsigned mask)
{
    if (c->kind == CSPR_READ)
        return access_plain_read(rec, c, mask);
    if (CSPR_UNLIKELY(rec->spread))
        cspr_reread_recall(rec); // P2 there
    if (c->kind == CSPR_WRITE)
        return access_plain_write(rec, c, mask);
    return access_atomic(rec, c, mask);
}

unsigned cspr_record_written(const cspr_record *rec)
{
    unsigned mask = 0;
    for (uint32_t i = 0; i < rec->writes.n; i++)
        mask |= rec->writes.entry[i].mask;
    return mask;
}

// --- records --------------------------------------------------------------------------------------------------------------

// The index's upper bits stand above the bit that says a word is taken.
uint64_t cspr_record_cell(const cspr_record *rec)
{
    uint64_t i = (uint64_t)(rec - records);
    return cspr_cell_of(CSPR_EPOCH_ASIDE, (unsigned)(i >> CSPR_STACK_BITS), i & ((1u << CSPR_STACK_BITS) - 1));
}

cspr_record *cspr_record_of(uint64_t cell)
{
    return &records[(uint64_t)cspr_cell_mask(cell) << CSPR_STACK_BITS | cspr_cell_stack(cell)];
}

static void add_cell(cspr_set *s, uint64_t cell, cspr_access_kind kind)
{
    uint32_t epoch = cspr_cell_epoch(cell);
    const cspr_run *run = cspr_epoch_run(epoch);
    s->entry[s->n++] = (cspr_entry){
        .at = cspr_epoch_clock(epoch),
        .id = run->id,
        .who = run->who,
        .epoch = epoch,
        .stack = cspr_cell_stack(cell), // may be composite: component() resolves it byte by byte
        .mask = (uint8_t)cspr_cell_mask(cell),
        .kind = (uint8_t)kind,
    };
}

void cspr_record_add_read(cspr_record *rec, uint64_t cell)
{
    cspr_set *s = &rec->reads;
    if (s->n == s->cap)
        enlarge(rec, s);
    add_cell(s, cell, CSPR_READ);
    index_last(s);
}

// The rest of an older write (access_piece.c), and what the epoch of w read of it.
static void add_rest(cspr_record *rec, uint64_t r, uint64_t w)
{
    cspr_stack written = cspr_cell_stack(r), read;
    unsigned mask = cspr_cell_mask(r), read_mask;
    read = cspr_depot_take_read(&written, &read_mask);
    add_cell(&rec->writes, cspr_cell_of(cspr_cell_epoch(r), mask, written), CSPR_WRITE);
    if (read_mask & mask)
        add_cell(&rec->reads, cspr_cell_of(cspr_cell_epoch(w), read_mask & mask, read), CSPR_READ);
}

static void add_shared_cell(cspr_set *s, uint64_t cell)
{
    const cspr_readset *set = cspr_readset_of(cell);
    if (set->n > s->cap) {
        s->cap = CSPR_READSET_MAX;
        s->entry = cspr_alloc(s->cap * sizeof *s->entry);
    }
    for (uint32_t i = 0; i < set->n; i++)
        add_cell(s, set->member[i] | (cell & 0xffull << CSPR_MASK_SHIFT), CSPR_READ);
}

static uint32_t take_record(void)
{
    if (CSPR_LIKELY(spare.n))
        return spare.record[--spare.n];
    cspr_lock_acquire(&free_lock);
    uint32_t i = free_head;
    if (i) {
        free_head = records[i].next_free;
        n_free--;
    } else {
        i = n_records++;
        if (i >= 1u << RECORD_BITS)
            cspr_die("more than %u words need a side record", 1u << RECORD_BITS);
    }
    cspr_lock_release(&free_lock);
    return i;
}

static void give_record(uint32_t i)
{
    cspr_lock_acquire(&free_lock);
    records[i].next_free = free_head;
    free_head = i;
    n_free++;
    cspr_lock_release(&free_lock);
}

void cspr_side_thread_ends(void)
{
    while (spare.n)
        give_record(spare.record[--spare.n]);
}

cspr_record *cspr_record_new(uintptr_t word, uint64_t r, uint64_t w)
{
    uint32_t i = take_record();
    cspr_record *rec = &records[i];
    rec->word = word;
    rec->syncs = NULL;
    rec->reread = rec->by_turns = rec->spread = false;
    rec->n_again = 0;
    rec->writes = (cspr_set){.entry = rec->write_room, .cap = CSPR_SET_ROOM};
    rec->reads = (cspr_set){.entry = rec->read_room, .cap = CSPR_SET_ROOM};
    rec->atomics = (cspr_set){0};
    if (w)
        add_cell(&rec->writes, w, CSPR_WRITE);
    if (cspr_cell_is_rest(r))
        add_rest(rec, r, w);
    else if (cspr_cell_is_shared(r))
        add_shared_cell(&rec->reads, r);
    else if (r)
        add_cell(&rec->reads, r, CSPR_READ);
    return rec;
}

void cspr_sync_clear(cspr_sync *s)
{
    cspr_stamp_unref(s->clock);
    cspr_stamp_unref(s->readers);
    s->clock = s->readers = NULL;
    cspr_sync_set_turn(s, 0);
    s->readers_turn = 0;
    if (s->lock_id)
        cspr_lock_order_gone(s->lock_id);
    s->lock_id = 0;
    cspr_sem_units_drop(s);
}

void cspr_record_drop_syncs(cspr_record *rec)
{
    for (cspr_sync *s = rec->syncs, *next; s; s = next) {
        next = s->next;
        cspr_sync_clear(s);
        cspr_free(s, sizeof *s);
    }
    rec->syncs = NULL;
}

void cspr_record_free(cspr_record *rec)
{
    if (CSPR_UNLIKELY(rec->spread))
        cspr_reread_drop(rec);
    cspr_record_drop_syncs(rec);
    clear_set(rec, &rec->writes, rec->write_room, CSPR_SET_ROOM);
    clear_set(rec, &rec->reads, rec->read_room, CSPR_SET_ROOM);
    clear_set(rec, &rec->atomics, NULL, 0);
    rec->word = 0;
    if (CSPR_LIKELY(spare.n < SPARES))
        spare.record[spare.n++] = (uint32_t)(rec - records);
    else
        give_record((uint32_t)(rec - records));
}

cspr_sync *cspr_record_sync(cspr_record *rec, uintptr_t addr, bool make)
{
    cspr_sync *s = rec->syncs;
    while (s && s->addr != addr)
        s = s->next;
    if (!s && make) {
        s = cspr_alloc(sizeof *s);
        s->addr = addr;
        s->next = rec->syncs;
        rec->syncs = s;
    }
    return s;
}

void cspr_side_fork_lock(bool take)
{
    cspr_lock_for_fork(&free_lock, take);
}
