// reread.h - what a task reads again and again: its newest read of a word, in a place of its own beside the word's record.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Several tasks read one table, each in short epochs: nothing changes but each reader's own entry, and taking the word for it costs
// two lines of the cache that another core had. So a task that read a word aside (side.h) again gets a *slot* for it: a cell that
// is its newest read of these bytes. It changes that with one compare-exchange, the word not taken.
//
// Invariants:  P1 A slot that is not empty: the word is aside, its record says `spread`, and the slot's task knows all of the record's
//                 writes; there are no atomics. It was filled by its task, with the word taken, after its page was listed.
//              P2 Who changes the record by anything but a plain read, or gives it back, has taken the word and first empties its
//                 slots (cspr_reread_recall, cspr_reread_drop). Only the slot's task fills one.
// Why no race is missed: the slot itself decides which came first, a read or a recall. A read whose exchange succeeds came first; the
// recall gets it, makes it an entry of the record, and the writer checks it like any other. A read that comes later finds the
// slot empty, and since only its own task could fill it, there is no ABA: it takes the word and meets the write. Nothing is to be
// checked by a read that succeeds: by P1 and P2 there is no write that its task does not know, and what a task knows it never
// forgets. What it replaces is its own earlier read, of no more bytes (rule A1).
// Ordering:    E1 a slot's exchange releases, a recall's acquires: what the cell names (epoch, stack) was written before
//              word taken -> lock of a bucket; never the other way round
#ifndef CSP_RTL_REREAD_H
#define CSP_RTL_REREAD_H

#include "shadow/depot.h"
#include "shadow/extent.h"
#include "shadow/shadow.h"
#include "shadow/side.h"
#include "task/task.h"

enum { CSPR_REREAD_BLOCK = 256, CSPR_REREAD_WORDS = CSPR_REREAD_BLOCK / 8 };
// In a slot: the word's bytes are all written, so that no extent counts (extent.h).
#define CSPR_REREAD_WHOLE CSPR_CELL_TAKEN

// A task's slots for one block of memory: two for each word, by the half that a read begins in.
typedef struct cspr_reread_page {
    struct cspr_reread_page *next; // in its bucket, under its lock
    uintptr_t block;
    uint64_t slot[CSPR_REREAD_WORDS][2]; // atomic
} cspr_reread_page;

// A task's pages by block, open addressing; used by the thread that runs it, inside the detector.
struct cspr_rereads {
    uint32_t n, n_bits;
    struct {
        uintptr_t block; // 0: none
        cspr_reread_page *page;
    } at[];
};

extern uint32_t cspr_reread_after; // reads again of a record before it is spread; 0 in tests

static inline uintptr_t cspr_reread_block_of(uintptr_t word)
{
    return (word & CSPR_APP_MASK) / CSPR_REREAD_BLOCK;
}
static inline uint32_t cspr_reread_hash(uintptr_t block, uint32_t bits)
{
    return (uint32_t)((uint64_t)block * 0x9e3779b97f4a7c15ull >> (64 - bits));
}

// The task's slot for a read of mask's bytes; NULL: its block has no page.
static inline uint64_t *cspr_reread_slot(const cspr_task *t, uintptr_t word, unsigned mask)
{
    const cspr_rereads *all = t->rereads;
    uintptr_t block = cspr_reread_block_of(word);
    for (uint32_t i = cspr_reread_hash(block, all->n_bits);; i = (i + 1) & ((1u << all->n_bits) - 1)) {
        if (CSPR_LIKELY(all->at[i].block == block))
            return &all->at[i].page->slot[word / 8 % CSPR_REREAD_WORDS][!(mask & 0x0f)];
        if (!all->at[i].block)
            return NULL;
    }
}

// Whether a slot says that the epoch has read these bytes; compiled code does not see that.
static inline bool cspr_reread_covers(uint64_t slot, unsigned mask, uint32_t epoch)
{
    return cspr_cell_epoch(slot) == epoch && !(mask & ~cspr_cell_mask(slot));
}
// Whether a slot that held `old` may say instead that the epoch has read these bytes.
static inline bool cspr_reread_may_replace(uint64_t old, unsigned mask)
{
    return old && !(cspr_cell_mask(old) & ~mask) && CSPR_LIKELY(!cspr_extent_any || (old & CSPR_REREAD_WHOLE));
}
// Does so. False: the word was recalled meanwhile, nothing is recorded.
static inline bool cspr_reread_replace(uint64_t *slot, uint64_t old, unsigned mask, uint32_t epoch, cspr_stack stack)
{
    uint64_t fresh = cspr_cell_of(epoch, mask, stack) | (old & CSPR_REREAD_WHOLE);
    // Release: E1; relaxed when it fails: the word will be taken.
    return stack < cspr_depot_cell_limit &&
           __atomic_compare_exchange_n(slot, &old, fresh, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED);
}
// Reads that the calling thread found in slots: of earlier epochs, of the same.
extern __thread uint32_t cspr_reread_hits[2] __attribute__((tls_model("initial-exec")));

// Whether the task has slots for the word's neighbours: what is read of a table again and again is mostly read all over, so its words
// need not show it one by one. Not where epochs read the same often: for them the inline check should know the words (readset.h).
static inline bool cspr_reread_is_near(const cspr_task *t, uintptr_t word, unsigned mask)
{
    return t->rereads && cspr_reread_hits[0] >= cspr_reread_hits[1] && cspr_flags.reread_in_place &&
           cspr_reread_slot(t, word, mask);
}

// Now and then a task takes the long way all the same, and the slots of the word are recalled (look_again, which takes it): so that sets of readers, or cells,
// are tried again, and what everybody knows is let go of. covered: by this epoch.
static inline bool cspr_reread_is_due(bool covered)
{
    enum { EVERY_HIT = 2048, EVERY_EPOCH = 4096 };
    return !(++cspr_reread_hits[covered] % (covered ? EVERY_HIT : EVERY_EPOCH));
}

void cspr_reread_look_again(uintptr_t word);
// Tries to record a read that way, the word not taken; *slot: see above. False: the word has to be taken.
bool cspr_reread_word(const cspr_task *t, uintptr_t word, unsigned mask, uint32_t epoch, cspr_stack stack);

// The rest has the word taken.
// t's read, which the record has in an entry of its own, moves to a slot if there is room.
void cspr_reread_spread(cspr_task *t, cspr_record *rec, cspr_entry *read);
// Makes the slots entries again: the record is whole.
void cspr_reread_recall(cspr_record *rec);
void cspr_reread_drop(cspr_record *rec); // what they say no longer counts

// The shadow there is gone, with what names the records.
void cspr_reread_forget(uintptr_t lo, uintptr_t hi);
// Makes the slots of a task that ends entries. No word is taken.
void cspr_reread_task_ends(cspr_task *t);
void cspr_reread_fork_lock(bool take); // while the process forks (shadow.c)

#endif
