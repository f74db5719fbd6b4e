// reread.c - pages of slots: a task's own, found by block; and those of all tasks, listed by block for who changes a word.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A page belongs to its task until that ends or needs room and the page is empty. Few tasks get one for a block, and
// pages are few beside the records of the words they are for, which are ten times as large.
#include "shadow/reread.h"

#include "support/alloc.h"
#include "support/counters.h"
#include "support/lock.h"

enum { BUCKET_BITS = 10, N_BUCKETS = 1 << BUCKET_BITS, PAGES_PER_BLOCK = 16, MAX_PAGES = 1 << 16, FIRST_BITS = 3 };

static struct {
    cspr_lock lock;
    cspr_reread_page *first; // under lock
} buckets[N_BUCKETS];
static uint32_t n_pages; // atomic

uint32_t cspr_reread_after = 8;
__thread uint32_t cspr_reread_hits[2] __attribute__((tls_model("initial-exec")));

// --- pages ------------------------------------------------------------------------------------------------------------------

static bool is_empty(const cspr_reread_page *p)
{
    uint64_t any = 0;
    for (unsigned i = 0; i < CSPR_REREAD_WORDS; i++) // relaxed: only we fill them
        any |= __atomic_load_n(&p->slot[i][0], __ATOMIC_RELAXED) | __atomic_load_n(&p->slot[i][1], __ATOMIC_RELAXED);
    return !any;
}

static uint32_t bucket_of(uintptr_t block)
{
    return cspr_reread_hash(block, BUCKET_BITS);
}

// NULL: there are enough.
static cspr_reread_page *new_page(uintptr_t block)
{
    uint32_t b = bucket_of(block), n = 0;
    if (__atomic_load_n(&n_pages, __ATOMIC_RELAXED) >= MAX_PAGES) // relaxed: a limit, roughly
        return NULL;
    cspr_reread_page *fresh = cspr_alloc(sizeof *fresh);
    fresh->block = block;
    cspr_lock_acquire(&buckets[b].lock);
    for (const cspr_reread_page *p = buckets[b].first; p; p = p->next)
        n += p->block == block;
    if (n < PAGES_PER_BLOCK) {
        fresh->next = buckets[b].first;
        buckets[b].first = fresh;
        __atomic_fetch_add(&n_pages, 1, __ATOMIC_RELAXED); // relaxed: a limit, and whether there are any
    }
    cspr_lock_release(&buckets[b].lock);
    if (n < PAGES_PER_BLOCK)
        return fresh;
    cspr_free(fresh, sizeof *fresh);
    return NULL;
}

// It is empty, and its task will not fill it: nobody looks for anything there, but somebody may be walking past.
static void free_page(cspr_reread_page *page)
{
    uint32_t b = bucket_of(page->block);
    cspr_lock_acquire(&buckets[b].lock);
    cspr_reread_page **at = &buckets[b].first;
    while (*at != page)
        at = &(*at)->next;
    *at = page->next;
    cspr_lock_release(&buckets[b].lock);
    __atomic_fetch_sub(&n_pages, 1, __ATOMIC_RELAXED); // relaxed: a limit
    cspr_free(page, sizeof *page);
}

// --- a task's table ---------------------------------------------------------------------------------------------------------

static size_t bytes_of_table(uint32_t bits)
{
    return sizeof(cspr_rereads) + ((size_t)1 << bits) * sizeof((cspr_rereads *)0)->at[0];
}

static cspr_rereads *new_table(uint32_t bits)
{
    cspr_rereads *all = cspr_alloc(bytes_of_table(bits));
    all->n_bits = bits;
    return all;
}

static void insert(cspr_rereads *all, cspr_reread_page *page)
{
    uint32_t i = cspr_reread_hash(page->block, all->n_bits);
    while (all->at[i].block)
        i = (i + 1) & ((1u << all->n_bits) - 1);
    all->at[i].block = page->block;
    all->at[i].page = page;
    all->n++;
}

// Lets go of pages that are empty; twice as large when there are few of those.
static void make_room(cspr_task *t)
{
    cspr_rereads *old = t->rereads;
    uint32_t n = 1u << old->n_bits, empty = 0;
    for (uint32_t i = 0; i < n; i++)
        empty += old->at[i].block && is_empty(old->at[i].page);
    cspr_rereads *fresh = new_table(old->n_bits + (empty < old->n / 2));
    for (uint32_t i = 0; i < n; i++) {
        cspr_reread_page *page = old->at[i].page;
        if (old->at[i].block && is_empty(page))
            free_page(page);
        else if (old->at[i].block)
            insert(fresh, page);
    }
    t->rereads = fresh;
    cspr_free(old, bytes_of_table(old->n_bits));
}

static uint64_t *make_slot(cspr_task *t, uintptr_t word, unsigned mask)
{
    if (!t->rereads)
        t->rereads = new_table(FIRST_BITS);
    uint64_t *slot = cspr_reread_slot(t, word, mask);
    if (slot)
        return slot;
    cspr_reread_page *page = new_page(cspr_reread_block_of(word));
    if (!page)
        return NULL;
    if (t->rereads->n >= (1u << t->rereads->n_bits) / 2)
        make_room(t);
    insert(t->rereads, page);
    return cspr_reread_slot(t, word, mask);
}

// --- one word ---------------------------------------------------------------------------------------------------------------

void cspr_reread_look_again(uintptr_t word)
{
    uint64_t *cells = cspr_shadow_of(word), w = cspr_word_take(cells);
    cspr_record *rec = cspr_cell_is_aside(w) ? cspr_record_of(w) : NULL;
    if (rec && rec->spread) {
        cspr_reread_recall(rec);
        rec->reread = rec->by_turns = false; // unless it still is, as the long way finds out
    }
    cspr_line_give(cspr_line_of(cells));
}

bool cspr_reread_word(const cspr_task *t, uintptr_t word, unsigned mask, uint32_t epoch, cspr_stack stack)
{
    uint64_t *slot = cspr_reread_slot(t, word, mask);
    uint64_t old = slot ? __atomic_load_n(slot, __ATOMIC_RELAXED) : 0; // relaxed: our own, or empty
    bool covered = cspr_reread_covers(old, mask, epoch);
    if (!covered && !cspr_reread_may_replace(old, mask))
        return false;
    if (CSPR_UNLIKELY(cspr_reread_is_due(covered))) {
        cspr_reread_look_again(word);
        return false;
    }
    return covered || cspr_reread_replace(slot, old, mask, epoch, stack);
}

void cspr_reread_spread(cspr_task *t, cspr_record *rec, cspr_entry *read)
{
    bool is_whole = cspr_record_written(rec) == 0xff;
    if (rec->atomics.n || read->stack >= cspr_depot_cell_limit || (cspr_extent_any && !is_whole))
        return;
    for (uint32_t i = 0; i < rec->writes.n; i++)
        if (rec->writes.entry[i].mask && !cspr_task_knows(t, rec->writes.entry[i].id, rec->writes.entry[i].at))
            return;
    uint64_t *slot = make_slot(t, rec->word, read->mask);
    uint64_t old = slot ? __atomic_load_n(slot, __ATOMIC_RELAXED) : 0; // relaxed: our own, or empty
    if (!slot || (cspr_cell_mask(old) & ~read->mask))
        return;
    rec->spread = true;
    // Release: E1.
    __atomic_store_n(slot, cspr_cell_of(read->epoch, read->mask, read->stack) | (is_whole ? CSPR_REREAD_WHOLE : 0),
                     __ATOMIC_RELEASE);
    *read = rec->reads.entry[--rec->reads.n];
    cspr_count(CSPR_COUNT_OWN_REREADS);
}

// Acquire: E1.
static uint64_t take_slot(uint64_t *slot)
{
    return __atomic_load_n(slot, __ATOMIC_RELAXED) ? __atomic_exchange_n(slot, 0, __ATOMIC_ACQUIRE) : 0;
}

static void empty_slots(cspr_record *rec, bool keep)
{
    uintptr_t block = cspr_reread_block_of(rec->word);
    uint32_t b = bucket_of(block);
    rec->spread = false;
    rec->n_again = 0;
    cspr_lock_acquire(&buckets[b].lock);
    for (cspr_reread_page *p = buckets[b].first; p; p = p->next) {
        for (unsigned half = 0; p->block == block && half < 2; half++) {
            uint64_t read = take_slot(&p->slot[rec->word / 8 % CSPR_REREAD_WORDS][half]);
            if (read && keep)
                cspr_record_add_read(rec, read & ~CSPR_REREAD_WHOLE);
        }
    }
    cspr_lock_release(&buckets[b].lock);
}

void cspr_reread_recall(cspr_record *rec)
{
    empty_slots(rec, true);
}

void cspr_reread_drop(cspr_record *rec)
{
    empty_slots(rec, false);
}

// --- many -------------------------------------------------------------------------------------------------------------------

static void forget_in(uint32_t b, uintptr_t lo, uintptr_t hi)
{
    cspr_lock_acquire(&buckets[b].lock);
    for (cspr_reread_page *p = buckets[b].first; p; p = p->next) {
        for (unsigned i = 0; i < CSPR_REREAD_WORDS; i++) {
            uintptr_t word = p->block * CSPR_REREAD_BLOCK + i * 8;
            if (word < lo || word >= hi)
                continue;
            take_slot(&p->slot[i][0]);
            take_slot(&p->slot[i][1]);
        }
    }
    cspr_lock_release(&buckets[b].lock);
}

void cspr_reread_forget(uintptr_t lo, uintptr_t hi)
{
    if (!__atomic_load_n(&n_pages, __ATOMIC_RELAXED)) // relaxed: who fills slots there meanwhile races with us anyway
        return;
    uintptr_t size = hi - lo;
    lo &= CSPR_APP_MASK;
    hi = lo + size;
    uintptr_t first = cspr_reread_block_of(lo), n = (hi - 1) / CSPR_REREAD_BLOCK - first + 1;
    for (uintptr_t i = 0; i < n && i < N_BUCKETS; i++)
        forget_in(n < N_BUCKETS ? bucket_of(first + i) : (uint32_t)i, lo, hi);
}

// The slot of a word that is not taken becomes an entry of its record, which stays spread for the others'.
static void give_up_slot(uint64_t *slot, uintptr_t word)
{
    uint64_t *cells = cspr_shadow_of(word), w = cspr_word_take(cells), read = take_slot(slot);
    if (read && cspr_cell_is_aside(w))
        cspr_record_add_read(cspr_record_of(w), read & ~CSPR_REREAD_WHOLE);
    cspr_line_give(cspr_line_of(cells));
}

void cspr_reread_task_ends(cspr_task *t)
{
    cspr_rereads *all = t->rereads;
    if (!all)
        return;
    for (uint32_t k = 0; k < 1u << all->n_bits; k++) {
        cspr_reread_page *page = all->at[k].block ? all->at[k].page : NULL;
        for (unsigned i = 0; page && i < 2 * CSPR_REREAD_WORDS; i++)
            if (__atomic_load_n(&page->slot[i / 2][i % 2], __ATOMIC_RELAXED)) // relaxed: only we fill it
                give_up_slot(&page->slot[i / 2][i % 2], page->block * CSPR_REREAD_BLOCK + i / 2 * 8);
        if (page)
            free_page(page);
    }
    t->rereads = NULL;
    cspr_free(all, bytes_of_table(all->n_bits));
}

void cspr_reread_fork_lock(bool take)
{
    for (unsigned i = 0; i < N_BUCKETS; i++)
        cspr_lock_for_fork(&buckets[i].lock, take);
}
