// shard.c - one part of a csp_syncmap: reading without the lock, changing under it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "shard.h"

#include "panic.h"

#include <stdlib.h>
#include <string.h>

// ThreadSanitizer would report the reads that E2 throws away.
#if CSP_HOOKS || defined(__SANITIZE_THREAD__)
#define READS_WITHOUT_LOCK false
#elif defined(__has_feature)
#define READS_WITHOUT_LOCK (!__has_feature(thread_sanitizer))
#else
#define READS_WITHOUT_LOCK true
#endif

enum { READ_TRIES = 4, SMALLEST_CLASS = 4, CLASSES = 60 };

// Characters of deleted keys, by size: a block of class c has 2^c bytes; its first eight link to the next one.
struct cspi_string_pool {
    void *free_blocks[CLASSES];
};

static unsigned char *value_at(const cspi_shard_kind *kind, const cspi_table *t, size_t place)
{
    return cspi_entry(t, place) + kind->shape.value_at;
}

// --- the detector's clocks --------------------------------------------------------------------------------------------------

#if CSP_HOOKS
static void **cell_at(const cspi_shard_kind *kind, const cspi_shard *s, size_t place)
{
    return (void **)(value_at(kind, s->table, place) + kind->shape.value_size - sizeof(void *));
}
static void *absent_clock(cspi_shard *s, uint64_t hash)
{
    return &s->absent[hash / CSPI_SHARDS % CSPI_ABSENT_CLOCKS];
}
static void clock_make(const cspi_shard_kind *kind, cspi_shard *s, size_t place)
{
    CSP_HOOK(ignore_begin); // a cell is freed by whoever deletes, which the stores before need not be ordered with
    void *cell = malloc(8);
    CSP_HOOK(ignore_end);
    if (!cell)
        cspi_fatal("out of memory: map of %zu entries", s->count);
    CSP_HOOK(sync_reset, cell);
    *cell_at(kind, s, place) = cell;
}
static void clock_drop(const cspi_shard_kind *kind, cspi_shard *s, size_t place)
{
    void *cell = *cell_at(kind, s, place);
    CSP_HOOK(release_merge, absent_clock(s, s->table->hashes[place]), NULL);
    CSP_HOOK(sync_reset, cell);
    CSP_HOOK(ignore_begin);
    free(cell);
    CSP_HOOK(ignore_end);
}
static void clock_see(const cspi_shard_kind *kind, cspi_shard *s, size_t place)
{
    CSP_HOOK(acquire, *cell_at(kind, s, place), NULL);
}
static void clock_see_absent(cspi_shard *s, uint64_t hash)
{
    CSP_HOOK(acquire, absent_clock(s, hash), NULL);
}
static void clock_set(const cspi_shard_kind *kind, cspi_shard *s, size_t place)
{
    CSP_HOOK(release, *cell_at(kind, s, place), NULL);
}
enum { CELL_BYTES = sizeof(void *) };
#else
#define clock_make(kind, s, place) ((void)0)
#define clock_drop(kind, s, place) ((void)0)
#define clock_see(kind, s, place) ((void)0)
#define clock_see_absent(s, hash) ((void)0)
#define clock_set(kind, s, place) ((void)0)
enum { CELL_BYTES = 0 };
#endif

cspi_shard_kind cspi_shard_kind_of(size_t key_size, size_t value_size)
{
    size_t stored = CELL_BYTES ? (value_size + 7) / 8 * 8 + CELL_BYTES : value_size;
    return (cspi_shard_kind){.shape = cspi_shape_of(key_size, stored), .value_size = value_size};
}

// --- reading without the lock -----------------------------------------------------------------------------------------------

// The n bytes at from, which somebody may be writing. Both are as aligned as the entry's stride lets them be: from is, to need
// not be.
static void copy_unsteady(void *to, const void *from, size_t n)
{
    unsigned char *d = to;
    const uint64_t *words = from;
    for (; n >= 8; n -= 8, d += 8) {
        uint64_t w = csp_load_rlx(words++); // relaxed: E2 tells whether it counts
        memcpy(d, &w, 8);
    }
    const unsigned char *bytes = (const unsigned char *)words;
    for (; n; n--)
        *d++ = csp_load_rlx(bytes++);
}

static bool equals_unsteady(const void *entry, const void *key, size_t n)
{
    const unsigned char *k = key;
    const uint64_t *words = entry;
    for (; n >= 8; n -= 8, k += 8) {
        uint64_t w;
        memcpy(&w, k, 8);
        if (csp_load_rlx(words++) != w)
            return false;
    }
    const unsigned char *bytes = (const unsigned char *)words;
    for (; n; n--)
        if (csp_load_rlx(bytes++) != *k++)
            return false;
    return true;
}

static bool is_unchanged(const cspi_shard *s, uint32_t seq)
{
    __atomic_thread_fence(__ATOMIC_ACQUIRE); // E2
    return csp_load_rlx(&s->seq) == seq;     // relaxed: the fence
}

// False also when somebody writes: the caller asks is_unchanged in the end.
static bool entry_is(const cspi_shard_kind *kind, const cspi_shard *s, uint32_t seq, const void *entry,
                     const cspi_key *key)
{
    if (kind->shape.key_size)
        return equals_unsteady(entry, key->bytes, key->n);
    cspi_string found;
    copy_unsteady(&found, entry, sizeof found);
    // Only a pointer and a length that belong together may be followed; then I2 holds, also if the key goes away.
    return found.n == key->n && is_unchanged(s, seq) && equals_unsteady(found.bytes, key->bytes, key->n);
}

// False: somebody wrote, nothing is known. True: *found is right, and value (may be NULL) has been copied if so.
static bool try_read(const cspi_shard_kind *kind, const cspi_shard *s, const cspi_key *key, void *value, bool *found)
{
    uint32_t seq = csp_load_acq(&s->seq); // E1
    if (seq & 1)
        return false;
    const cspi_table *t = csp_load_acq(&s->table);
    *found = false;
    for (size_t i = t ? cspi_table_seek(t, key->hash) : 0; t && csp_load_rlx(&t->hashes[i]) == key->hash; i++) {
        if (!entry_is(kind, s, seq, cspi_entry(t, i), key))
            continue;
        if (value)
            copy_unsteady(value, value_at(kind, t, i), kind->value_size);
        *found = true;
        break;
    }
    return is_unchanged(s, seq);
}

bool cspi_shard_read(const cspi_shard_kind *kind, const cspi_shard *s, const cspi_key *key, void *value, bool *found)
{
    for (int tries = 0; READS_WITHOUT_LOCK && tries < READ_TRIES; tries++) {
        if (try_read(kind, s, key, value, found))
            return true;
        csp_cpu_relax();
    }
    return false;
}

// --- changing, under the lock -----------------------------------------------------------------------------------------------

static void begin_change(cspi_shard *s)
{
    csp_store_rlx(&s->seq, s->seq + 1);      // relaxed: the fence
    __atomic_thread_fence(__ATOMIC_RELEASE); // E2
}

static void end_change(cspi_shard *s)
{
    csp_store_rel(&s->seq, s->seq + 1); // E1
}

static unsigned class_of(size_t n)
{
    unsigned c = SMALLEST_CLASS;
    while (((size_t)1 << c) < n)
        c++;
    return c;
}

static char *take_string(cspi_shard *s, const cspi_key *key)
{
    unsigned c = class_of(key->n + 1);
    char *block = s->pool ? s->pool->free_blocks[c] : NULL;
    if (block)
        memcpy(&s->pool->free_blocks[c], block, sizeof(void *));
    else
        block = malloc((size_t)1 << c);
    if (!block)
        cspi_fatal("out of memory: map key of %zu bytes", key->n);
    memcpy(block, key->bytes, key->n);
    block[key->n] = '\0';
    return block;
}

static void give_string(cspi_shard *s, const cspi_string *string)
{
    if (!s->pool && !(s->pool = calloc(1, sizeof *s->pool)))
        cspi_fatal("out of memory: map of %zu entries", s->count);
    void **list = &s->pool->free_blocks[class_of(string->n + 1)];
    memcpy(string->bytes, list, sizeof(void *));
    *list = string->bytes;
}

static void grow_locked(const cspi_shard_kind *kind, cspi_shard *s)
{
    for (unsigned bits = cspi_table_next_bits(s->table);; bits++) {
        size_t bytes = cspi_table_bytes(bits, &kind->shape);
        cspi_table *bigger = bytes ? malloc(bytes) : NULL;
        if (!bigger)
            cspi_fatal("out of memory: map of %zu entries", s->count);
        if (cspi_table_make(bigger, bits, &kind->shape, s->table)) {
            bigger->older = s->table; // I2
            csp_store_rel(&s->table, bigger);
            return;
        }
        free(bigger);
    }
}

cspi_shard_use cspi_shard_look(const cspi_shard_kind *kind, cspi_shard *s, const cspi_key *key)
{
    cspi_lock_acquire(&s->lock);
    cspi_shard_use u = {kind, s, *key, 0, false};
    u.found = s->table && cspi_table_find(s->table, &kind->shape, key, &u.place);
    return u;
}

void cspi_shard_done(const cspi_shard_use *u)
{
    cspi_lock_release(&u->s->lock);
}

void cspi_shard_see(const cspi_shard_use *u)
{
    if (u->found)
        clock_see(u->kind, u->s, u->place);
    else
        clock_see_absent(u->s, u->key.hash);
}

void cspi_shard_put(cspi_shard_use *u, const void *value)
{
    cspi_shard *s = u->s;
    const cspi_shard_kind *kind = u->kind;
    begin_change(s);
    if (!u->found) {
        size_t moved;
        while (!s->table || !cspi_table_open(s->table, u->place, u->key.hash, &moved)) {
            grow_locked(kind, s);
            cspi_table_find(s->table, &kind->shape, &u->key, &u->place);
        }
        csp_store_rlx(&s->count, s->count + 1); // relaxed: csp_syncmap_len gives a moment's number
        void *entry = cspi_entry(s->table, u->place);
        if (kind->shape.key_size)
            memcpy(entry, u->key.bytes, u->key.n);
        else
            *(cspi_string *)entry = (cspi_string){take_string(s, &u->key), u->key.n};
        clock_make(kind, s, u->place);
    }
    memcpy(value_at(kind, s->table, u->place), value, kind->value_size);
    clock_set(kind, s, u->place);
    end_change(s);
}

void cspi_shard_take_out(cspi_shard_use *u)
{
    cspi_shard *s = u->s;
    begin_change(s);
    clock_drop(u->kind, s, u->place);
    if (!u->kind->shape.key_size)
        give_string(s, (cspi_string *)cspi_entry(s->table, u->place));
    size_t moved;
    cspi_table_close(s->table, u->place, &moved);
    csp_store_rlx(&s->count, s->count - 1); // relaxed: as in put
    end_change(s);
}

const void *cspi_shard_value(const cspi_shard_use *u)
{
    return value_at(u->kind, u->s->table, u->place);
}

// --- all entries ------------------------------------------------------------------------------------------------------------

void cspi_shard_empty(const cspi_shard_kind *kind, cspi_shard *s)
{
    if (!s->table)
        return;
    begin_change(s);
    for (size_t i = 0; i < s->table->places; i++) {
        if (s->table->hashes[i] == CSPI_NO_ENTRY)
            continue;
        clock_drop(kind, s, i);
        if (!kind->shape.key_size)
            give_string(s, (cspi_string *)cspi_entry(s->table, i));
    }
    cspi_table_clear(s->table);
    csp_store_rlx(&s->count, 0u); // relaxed: as in put
    end_change(s);
}

static void free_pool(cspi_string_pool *pool)
{
    for (int c = 0; pool && c < CLASSES; c++)
        for (void *block = pool->free_blocks[c], *next; block; block = next) {
            memcpy(&next, block, sizeof next);
            free(block);
        }
    free(pool);
}

void cspi_shard_fini(const cspi_shard_kind *kind, cspi_shard *s)
{
    cspi_shard_empty(kind, s);
    free_pool(s->pool);
    for (cspi_table *t = s->table, *older; t; t = older) {
        older = t->older;
        free(t);
    }
}

enum cspi_shard_step cspi_shard_next(const cspi_shard_kind *kind, cspi_shard *s, uint64_t *from, cspi_shard_copy *copy,
                                     size_t *key_bytes)
{
    cspi_lock_acquire(&s->lock);
    enum cspi_shard_step result = CSPI_SHARD_NO_MORE;
    size_t place = s->table ? cspi_table_next(s->table, *from) : 0;
    if (s->table && place < s->table->places) {
        const void *entry = cspi_entry(s->table, place), *key = entry;
        *key_bytes = kind->shape.key_size;
        if (!kind->shape.key_size) {
            key = ((const cspi_string *)entry)->bytes;
            *key_bytes = ((const cspi_string *)entry)->n + 1;
        }
        result = *key_bytes <= copy->key_room ? CSPI_SHARD_COPIED : CSPI_SHARD_NO_ROOM;
        if (result == CSPI_SHARD_COPIED) {
            clock_see(kind, s, place);
            memcpy(copy->key, key, *key_bytes);
            memcpy(copy->value, value_at(kind, s->table, place), kind->value_size);
            *from = s->table->hashes[place] + 1;
        }
    }
    cspi_lock_release(&s->lock);
    return result;
}
