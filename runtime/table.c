// table.c - the sorted hash table: making, growing, opening and closing places.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// At most three quarters of the homes are taken, which keeps runs short: a lookup looks at two hashes on average, an addition
// moves a handful of entries. The tail behind the last home takes what is pushed past it; were it ever too short, the table
// grows early.
#include "table.h"

#include <string.h>

enum { SMALLEST_BITS = 3, LONGEST_TAIL = 128 };

static size_t round_up(size_t n, size_t to)
{
    return (n + to - 1) / to * to;
}

cspi_shape cspi_shape_of(size_t key_size, size_t value_size)
{
    size_t key_bytes = key_size ? key_size : sizeof(cspi_string);
    // A value is aligned for whatever type of its size there may be.
    size_t align = value_size % 16 == 0 && value_size ? 16 : 8;
    size_t value_at = round_up(key_bytes, align);
    return (cspi_shape){key_size, value_size, value_at, round_up(value_at + value_size, align)};
}

bool cspi_key_equals_slow(const cspi_shape *shape, const void *entry, const cspi_key *key)
{
    if (shape->key_size == 4)
        return memcmp(entry, key->bytes, 4) == 0;
    if (shape->key_size)
        return memcmp(entry, key->bytes, shape->key_size) == 0;
    const cspi_string *s = entry;
    return s->n == key->n && memcmp(s->bytes, key->bytes, key->n) == 0;
}

// --- making ---------------------------------------------------------------------------------------------------------------

unsigned cspi_table_next_bits(const cspi_table *t)
{
    return t ? 64 - t->shift + 1 : SMALLEST_BITS;
}

static size_t places_of(unsigned bits)
{
    size_t homes = (size_t)1 << bits;
    return homes + (homes < LONGEST_TAIL ? homes : LONGEST_TAIL);
}

static size_t entries_at(size_t places)
{
    return round_up(sizeof(cspi_table) + (places + CSPI_TABLE_ENDS) * sizeof(uint64_t), 16);
}

size_t cspi_table_bytes(unsigned bits, const cspi_shape *shape)
{
    size_t bytes;
    if (bits > 40 || __builtin_mul_overflow(places_of(bits), shape->stride, &bytes) ||
        __builtin_add_overflow(bytes, entries_at(places_of(bits)), &bytes))
        return 0;
    return bytes;
}

static void init(cspi_table *t, unsigned bits, const cspi_shape *shape)
{
    size_t places = places_of(bits);
    *t = (cspi_table){
        .shift = 64 - bits,
        .places = places,
        .limit = ((size_t)1 << bits) / 4 * 3,
        .stride = shape->stride,
        .entries = (unsigned char *)t + entries_at(places),
    };
    memset(t->hashes, 0xff, (places + CSPI_TABLE_ENDS) * sizeof(uint64_t)); // CSPI_NO_ENTRY, everywhere
}

static bool move_entries(const cspi_table *from, cspi_table *to)
{
    size_t next = 0; // in ascending order of hashes, each goes to its home or behind the one before
    for (size_t i = 0; i < from->places; i++) {
        uint64_t hash = from->hashes[i];
        if (hash == CSPI_NO_ENTRY)
            continue;
        size_t home = hash >> to->shift;
        size_t place = home > next ? home : next;
        if (place >= to->places)
            return false;
        to->hashes[place] = hash;
        memcpy(cspi_entry(to, place), cspi_entry(from, i), to->stride);
        next = place + 1;
    }
    to->count = from->count;
    return true;
}

bool cspi_table_make(cspi_table *memory, unsigned bits, const cspi_shape *shape, const cspi_table *from)
{
    init(memory, bits, shape);
    return !from || move_entries(from, memory);
}

// --- changing -------------------------------------------------------------------------------------------------------------

static void shift(cspi_table *t, size_t to, size_t from, size_t n)
{
    memmove(&t->hashes[to], &t->hashes[from], n * sizeof(uint64_t));
    memmove(cspi_entry(t, to), cspi_entry(t, from), n * t->stride);
}

bool cspi_table_open(cspi_table *t, size_t place, uint64_t hash, size_t *moved)
{
    size_t gap = place;
    while (t->hashes[gap] != CSPI_NO_ENTRY)
        gap++;
    if (t->count >= t->limit || gap == t->places)
        return false;
    shift(t, place + 1, place, gap - place);
    t->hashes[place] = hash;
    t->count++;
    *moved = gap - place + 1;
    return true;
}

void cspi_table_close(cspi_table *t, size_t place, size_t *moved)
{
    size_t end = place + 1; // the first that stays: it is at home, or there is none
    while (t->hashes[end] != CSPI_NO_ENTRY && t->hashes[end] >> t->shift != end)
        end++;
    shift(t, place, place + 1, end - place - 1);
    t->hashes[end - 1] = CSPI_NO_ENTRY;
    t->count--;
    *moved = end - place;
}

void cspi_table_clear(cspi_table *t)
{
    memset(t->hashes, 0xff, t->places * sizeof(uint64_t));
    t->count = 0;
}

size_t cspi_table_next(const cspi_table *t, uint64_t from)
{
    size_t i = from >> t->shift;
    while (i < t->places && (t->hashes[i] < from || t->hashes[i] == CSPI_NO_ENTRY))
        i++;
    return i;
}
