// side.h - records of words whose history does not fit two cells: several epochs, several readers, atomics, sync objects.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Both cells of such a word hold the ASIDE tag and the record's index. A record is owned by whoever has taken its word
// (shadow.h); records are type-stable: one that was given back is only ever another record. An entry is one access by one
// epoch to some bytes of the word; it names its epoch in full, so it works when epoch ids are used up (rule A9).
#ifndef CSP_RTL_SIDE_H
#define CSP_RTL_SIDE_H

#include "rtl.h"
#include "task/task.h"

typedef enum cspr_access_kind { CSPR_READ, CSPR_WRITE, CSPR_ATOMIC_READ, CSPR_ATOMIC_WRITE } cspr_access_kind;

typedef struct cspr_entry {
    uint64_t at; // (id, at): the epoch
    uint32_t id;
    cspr_who who;
    uint32_t epoch;   // its id, 0 when it has none
    cspr_stack stack; // may be composite (rule A2)
    uint8_t mask;     // 0: no longer counts
    uint8_t kind;     // cspr_access_kind
} cspr_entry;

// Entries; above CSPR_SET_LINEAR of them an index by logical id finds one's own, so that a word read by a thousand
// coroutines costs each of them O(1).
enum { CSPR_SET_LINEAR = 32, CSPR_SET_ROOM = 2 };
typedef struct cspr_set {
    cspr_entry *entry;
    uint32_t n, cap;
    uint32_t *index; // positions + 1, open addressing; NULL while small
    uint32_t n_index;
} cspr_set;

// A clock named by an address (sync.h), of one byte offset in the word.
struct cspr_sync {
    struct cspr_sync *next;
    uintptr_t addr;
    cspr_stamp *clock;
    cspr_stamp *readers; // RWMutex: what the read unlocks since the last write lock knew
    // Locks: whose release it was that set `clock`, and whose was the first that `readers` has, as a number that no other
    // release has; 0 once somebody acquired it, or when it was no lock's (sync.c: coming back).
    uint64_t turn;         // atomic: looked at by who released last, the word not taken
    uint64_t readers_turn;
    cspr_who head;            // atomics: whose store the release sequence begins with, 0: nobody's
    uint32_t lock_id;         // lock_order.h; 0: none
    cspr_who rmw;             // atomics: who else put a clock into it by read-modify-write, 0: nobody
    struct cspr_units *units; // semaphores: what was released and not taken yet (sem.h); NULL: it is none
};
#define CSPR_SEVERAL UINT32_MAX // a who: more than one, or not known

static inline void cspr_sync_set_turn(cspr_sync *s, uint64_t turn)
{
    __atomic_store_n(&s->turn, turn, __ATOMIC_RELAXED); // relaxed: Q1 in sync.c
}

// Lines of the cache, not bytes, are what a short way costs here; what it reads and what it writes lie in different ones.
typedef struct cspr_record {
    _Alignas(64) uintptr_t word;
    cspr_sync *syncs;
    cspr_set writes;
    uint32_t next_free; // of the free list
    bool reread;        // some task read it in one epoch after the other while others, unordered, did too
    bool by_turns;      // ... or ordered
    bool spread;        // some of its reads are in slots of their tasks (reread.h)
    uint8_t n_again;    // reads again since the last other access, as far as they are counted
    cspr_set reads, atomics;
    cspr_entry write_room[CSPR_SET_ROOM], read_room[CSPR_SET_ROOM];
} cspr_record;

// A race found while a word was taken: told once it is given back.
typedef struct cspr_found {
    uintptr_t word;
    cspr_entry previous; // mask: the conflicting bytes
    uint8_t whole;       // all bytes in this word that the previous access stands for
} cspr_found;

// One access being checked, by the running task.
enum { CSPR_MAX_FOUND = 16 };
typedef struct cspr_check {
    cspr_task *task;
    uintptr_t addr; // whole access, for the report
    size_t size;
    size_t element, step; // of a loop's accesses: each one's size, and from one to the next; 0: it is one access
    uintptr_t word;       // the one being looked at
    uint64_t at;          // the task's open epoch
    uint32_t epoch;       // its id; 0: none left
    cspr_stack stack;
    cspr_access_kind kind;
    bool is_tls; // in the running OS thread's own thread-local block
    uint32_t n_found;
    cspr_found found[CSPR_MAX_FOUND];
} cspr_check;

void cspr_side_init(void);
void cspr_side_fork_lock(bool take); // while the process forks (shadow.c)
void cspr_side_thread_ends(void);    // gives the calling thread's spare records back
uint64_t cspr_side_count(void);      // records in use, for stats

// A record for the word with what its cells say. The caller has taken the word; r and w are not aside.
cspr_record *cspr_record_new(uintptr_t word, uint64_t r, uint64_t w);
// Gives the record and everything in it back.
void cspr_record_free(cspr_record *rec);
uint64_t cspr_record_cell(const cspr_record *rec); // the tag for both cells
cspr_record *cspr_record_of(uint64_t cell);

// One more read, as a cell; replaces nothing.
void cspr_record_add_read(cspr_record *rec, uint64_t cell);

// Checks the access against the record and records it; false: this epoch had done so, nothing changed.
bool cspr_record_access(cspr_record *rec, cspr_check *c, unsigned mask);

// side_short.c; t: the running task, epoch: its open one. False: nothing changed.
// Whether a read leaves the word aside though cells could say it: its next reader would make a record again. Where readers are
// ordered, epochs that read much want the inline check to see it instead.
bool cspr_record_stays(const cspr_record *rec);
// A read of a word that several tasks read in epoch after epoch: nothing to check, the task's earlier read makes room for it.
bool cspr_record_reread(cspr_record *rec, cspr_task *t, uint32_t epoch, unsigned mask, cspr_stack stack);
// Any access with nothing to check.
bool cspr_record_piece(cspr_record *rec, cspr_task *t, uint32_t epoch, unsigned mask, bool is_write, cspr_stack stack);
// A record for a word with what its cells say besides an access that they know; they have none of its bytes any more.
cspr_record *cspr_record_split(uintptr_t word, uint64_t r, uint64_t w, const cspr_task *t, uint32_t epoch,
                               unsigned mask, bool is_write, cspr_stack stack);
// Whether the record says no more than two cells can, as it is: stores them.
bool cspr_record_fits(const cspr_record *rec, uint64_t *r, uint64_t *w);

// Bytes whose last plain write is known.
unsigned cspr_record_written(const cspr_record *rec);
// When two cells can say all there is: stores them, frees the record, true.
bool cspr_record_collapse(cspr_record *rec, const cspr_task *t, uint64_t *r, uint64_t *w);

// The sync object of an address in the word; NULL when there is none and make is false.
cspr_sync *cspr_record_sync(cspr_record *rec, uintptr_t addr, bool make);
void cspr_record_drop_syncs(cspr_record *rec);
// It orders nothing from now on.
void cspr_sync_clear(cspr_sync *s);

// Remembers a race with the bytes of mask, some of previous->mask. Each byte's first one counts; more than fit are dropped, never a byte's first.
void cspr_check_found(cspr_check *c, const cspr_entry *previous, unsigned mask);

#endif
