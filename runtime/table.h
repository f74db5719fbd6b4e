// table.h - the hash table below csp_map and csp_syncmap: entries sorted by their hashes, in one block of memory.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Linear probing in which an entry's home is the upper bits of its hash and a newcomer pushes those with greater hashes one
// place on. So the whole table is sorted by hash, whatever was added or deleted in which order. From that follow
//   - a lookup compares eight-byte hashes until one is not less; it ends early for absent keys, too;
//   - deleting shifts back what can move, and leaves no tombstones;
//   - an iteration is "the next greater hash": it needs no position, so it survives deletes, additions and growth.
//
// Invariants  I1 hashes[i] != CSPI_NO_ENTRY: no empty place between i and home(hashes[i]), and home <= i
//             I2 hashes[] without the empty ones is ascending; hashes[places] and those behind it are CSPI_NO_ENTRY for
//                ever, which ends every scan
//             I3 memory of a table is neither moved nor reused while csp_syncmap's readers may look at it without a lock; whatever
//                they read meanwhile, they stay inside of it, since what bounds them never changes
// Two different keys with one 64-bit hash are told apart by lookups, but an iteration passes over the second of them. With a
// secret seed that takes some 2^32 keys in one map.
//
// This file knows no locks, no allocation and no detector: its users do.
#ifndef CSP_RUNTIME_TABLE_H
#define CSP_RUNTIME_TABLE_H

#include "base/atomic.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CSPI_NO_ENTRY UINT64_MAX
#define CSPI_TABLE_ENDS 4 // empty hashes behind the last place

// What one entry looks like; the same for all tables of a map.
typedef struct cspi_shape {
    size_t key_size; // 0: the key is a string, and the entry holds a cspi_string
    size_t value_size;
    size_t value_at; // bytes from the entry to its value
    size_t stride;
} cspi_shape;

typedef struct cspi_string {
    char *bytes; // ends with a NUL, which n does not count
    size_t n;
} cspi_string;

typedef struct cspi_table {
    // --- immutable after init
    unsigned shift; // home is hash >> shift
    size_t places;  // homes and the tail that pushed entries run into
    size_t limit;   // entries at which it counts as full
    size_t stride;
    unsigned char *entries;
    // --- the writer's
    struct cspi_table *older; // for the user of the table: those it keeps
    size_t count;
    uint64_t hashes[]; // places + CSPI_TABLE_ENDS
} cspi_table;

typedef struct cspi_key {
    const void *bytes;
    size_t n;
    uint64_t hash; // never CSPI_NO_ENTRY
} cspi_key;

cspi_shape cspi_shape_of(size_t key_size, size_t value_size);

// How a table grows: bits = cspi_table_next_bits(t), then, with memory for cspi_table_bytes(bits), cspi_table_make; should that
// say false (bad luck of the hashes), again with bits + 1.
unsigned cspi_table_next_bits(const cspi_table *t);              // t NULL: of the smallest
size_t cspi_table_bytes(unsigned bits, const cspi_shape *shape); // 0: more than there is address space
// Makes `memory` a table of 2^bits homes and copies the entries of `from` (may be NULL) into it. False: they do not fit.
bool cspi_table_make(cspi_table *memory, unsigned bits, const cspi_shape *shape, const cspi_table *from);

static inline unsigned char *cspi_entry(const cspi_table *t, size_t place)
{
    return t->entries + place * t->stride;
}

// The first place from home on whose hash is not less than `hash`. How far that is nobody can predict, but counting four at once
// takes no branch: they ascend, and what is behind an empty place is greater.
static inline size_t cspi_table_seek(const cspi_table *t, uint64_t hash)
{
    size_t i = hash >> t->shift;
    for (;;) {
        const uint64_t *h = &t->hashes[i];
        // relaxed: a reader without the lock checks afterwards that nobody wrote; with the lock there is nobody else
        size_t less = (size_t)(csp_load_rlx(&h[0]) < hash) + (size_t)(csp_load_rlx(&h[1]) < hash) +
                      (size_t)(csp_load_rlx(&h[2]) < hash) + (size_t)(csp_load_rlx(&h[3]) < hash);
        i += less;
        if (less < 4)
            return i;
    }
}

bool cspi_key_equals_slow(const cspi_shape *shape, const void *entry, const cspi_key *key);

static inline bool cspi_key_equals(const cspi_shape *shape, const void *entry, const cspi_key *key)
{
    if (shape->key_size == 8)
        return memcmp(entry, key->bytes, 8) == 0; // of a constant size: one compare, no call
    return cspi_key_equals_slow(shape, entry, key);
}

// memcpy of a value, without a call for the sizes that most have.
static inline void cspi_copy_value(void *to, const void *from, size_t n)
{
    if (n == 8)
        memcpy(to, from, 8);
    else if (n == 4)
        memcpy(to, from, 4);
    else
        memcpy(to, from, n);
}

// True: the key is at *place; false: *place is where it belongs.
static inline bool cspi_table_find(const cspi_table *t, const cspi_shape *shape, const cspi_key *key, size_t *place)
{
    size_t i = cspi_table_seek(t, key->hash);
    for (; t->hashes[i] == key->hash; i++)
        if (cspi_key_equals(shape, cspi_entry(t, i), key)) {
            *place = i;
            return true;
        }
    *place = i;
    return false;
}

// Makes room for a new entry at a place that cspi_table_find told, and counts it; its key and value are still to be written.
// *moved: how many entries, from that place on, are no longer what they were. False: the table must grow first.
bool cspi_table_open(cspi_table *t, size_t place, uint64_t hash, size_t *moved);
// Takes the entry at place out and closes the gap. *moved: as above.
void cspi_table_close(cspi_table *t, size_t place, size_t *moved);
void cspi_table_clear(cspi_table *t);

// The place of the first entry whose hash is at least `from`; t->places: there is none.
size_t cspi_table_next(const cspi_table *t, uint64_t from);

#ifdef __cplusplus
}
#endif
#endif
