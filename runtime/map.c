// map.c - csp_map: one hash table, and a watch for those who use it at the same time.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Watching. `version` is odd while somebody writes. A writer that finds it odd, or changed when it is done, was not alone; nor
// was a reader that finds it odd or sees it change under its hands. No read-modify-write and no fence beyond the compiler's:
// it is best effort, as Go's is, and costs two loads. What a reader that is too late sees is garbage but never unmapped: a
// table that was outgrown is freed by the next write, not at once.
//
// Detector. A call is an access of the map's first bytes, which stand for all of it, made by the caller; what it copies are
// accesses to the caller's buffers and to the entry, since csp_map_at gives the entry's address away. Entries that an addition
// or a deletion moves are written by it, so whoever still uses such an address is told.
#include "csp/map.h"

#include "hash.h"
#include "panic.h"
#include "sched.h"
#include "table.h"
#include "waitq.h"

#include "csp/go.h"

#include <stdlib.h>
#include <string.h>

enum { NOTED_BYTES = 8 };

struct csp_map {
    uint64_t noted; // what the detector sees accessed
    uint32_t version;
    cspi_table *table;   // NULL: nothing was ever added
    cspi_table *retired; // the one before, for readers that should not be there
    cspi_shape shape;
    cspi_hash_seed seed;
};

// --- watching ---------------------------------------------------------------------------------------------------------------

static uint32_t begin_read(const csp_map *m, const char *wrong)
{
    uint32_t version = csp_load_acq(&m->version);
    if (version & 1)
        cspi_fatal("%s", wrong);
    return version;
}

static void end_read(const csp_map *m, uint32_t version, const char *wrong)
{
    __atomic_thread_fence(__ATOMIC_ACQUIRE); // what was read, before the version
    if (csp_load_rlx(&m->version) != version)
        cspi_fatal("%s", wrong);
}

static const char reading[] = "concurrent map read and map write",
                  iterating[] = "concurrent map iteration and map write", writing[] = "concurrent map writes";

static void begin_write(csp_map *m)
{
    uint32_t version = csp_load_rlx(&m->version); // relaxed: a writer is alone, or it is the mistake we look for
    if (version & 1)
        cspi_fatal("%s", writing);
    csp_store_rlx(&m->version, version + 1); // relaxed: the fence orders it before what follows
    __atomic_thread_fence(__ATOMIC_RELEASE);
    free(m->retired);
    m->retired = NULL;
}

static void end_write(csp_map *m)
{
    uint32_t version = csp_load_rlx(&m->version); // relaxed: as above
    if (!(version & 1))
        cspi_fatal("%s", writing);
    csp_store_rel(&m->version, version + 1);
}

// --- keys and entries -------------------------------------------------------------------------------------------------------

CSPI_IN_PUBLIC cspi_key key_of(const csp_map *m, const void *key)
{
    size_t n = m->shape.key_size ? m->shape.key_size : strlen(key);
    CSP_HOOK(read_range, key, m->shape.key_size ? n : n + 1);
    uint64_t hash = cspi_hash(&m->seed, key, n);
    return (cspi_key){key, n, hash == CSPI_NO_ENTRY ? 0 : hash};
}

static unsigned char *value_at(const csp_map *m, const cspi_table *t, size_t place)
{
    return cspi_entry(t, place) + m->shape.value_at;
}

// The value, or NULL.
static unsigned char *find(const csp_map *m, const cspi_key *key)
{
    const cspi_table *t = csp_load_acq(&m->table);
    size_t place;
    return t && cspi_table_find(t, &m->shape, key, &place) ? value_at(m, t, place) : NULL;
}

CSPI_IN_PUBLIC void grow(csp_map *m)
{
    for (unsigned bits = cspi_table_next_bits(m->table);; bits++) {
        size_t bytes = cspi_table_bytes(bits, &m->shape);
        cspi_table *bigger = bytes ? malloc(bytes) : NULL;
        if (!bigger)
            cspi_fatal("out of memory: map of %zu entries", m->table ? m->table->count : 0);
        if (cspi_table_make(bigger, bits, &m->shape, m->table)) {
            m->retired = m->table;
            csp_store_rel(&m->table, bigger);
            return;
        }
        free(bigger);
    }
}

CSPI_IN_PUBLIC void write_key(const csp_map *m, void *entry, const cspi_key *key)
{
    if (m->shape.key_size) {
        memcpy(entry, key->bytes, key->n);
        return;
    }
    char *copy = malloc(key->n + 1);
    if (!copy)
        cspi_fatal("out of memory: map key of %zu bytes", key->n);
    memcpy(copy, key->bytes, key->n);
    copy[key->n] = '\0';
    *(cspi_string *)entry = (cspi_string){copy, key->n};
}

// The key's value, new and zero when it was not there.
CSPI_IN_PUBLIC unsigned char *find_or_add(csp_map *m, const cspi_key *key)
{
    size_t place = 0, moved = 0;
    if (m->table && cspi_table_find(m->table, &m->shape, key, &place))
        return value_at(m, m->table, place);
    while (!m->table || !cspi_table_open(m->table, place, key->hash, &moved)) {
        grow(m);
        cspi_table_find(m->table, &m->shape, key, &place);
    }
    CSP_HOOK(write_range, cspi_entry(m->table, place), moved * m->table->stride);
    write_key(m, cspi_entry(m->table, place), key);
    unsigned char *value = value_at(m, m->table, place);
    memset(value, 0, m->shape.value_size);
    return value;
}

static void free_key(const csp_map *m, size_t place)
{
    if (!m->shape.key_size)
        free(((cspi_string *)cspi_entry(m->table, place))->bytes);
}

static void free_keys(const csp_map *m)
{
    for (size_t i = 0; m->table && !m->shape.key_size && i < m->table->places; i++)
        if (m->table->hashes[i] != CSPI_NO_ENTRY)
            free_key(m, i);
}

// --- making and freeing ------------------------------------------------------------------------------------------------------

CSPI_IN_PUBLIC csp_map *make_map(size_t key_size, size_t value_size)
{
    if (value_size > SIZE_MAX / 4 || key_size > SIZE_MAX / 4)
        csp_panic("csp_map_new: size out of range");
    csp_map *m = malloc(sizeof *m);
    if (!m)
        cspi_fatal("out of memory: map");
    *m = (csp_map){.shape = cspi_shape_of(key_size, value_size), .seed = cspi_hash_seed_new()};
    return m;
}

csp_map *csp_map_new(size_t key_size, size_t value_size)
{
    CSPI_FRAME();
    if (!key_size)
        csp_panic("csp_map_new: keys of no size");
    return make_map(key_size, value_size);
}

csp_map *csp_map_new_str(size_t value_size)
{
    CSPI_FRAME();
    return make_map(0, value_size);
}

void csp_map_free(csp_map *m)
{
    CSPI_FRAME();
    if (!m)
        return;
    CSP_HOOK(write_range, m, NOTED_BYTES);
    begin_write(m);
    free_keys(m);
    free(m->table);
    free(m);
}

// --- reading ----------------------------------------------------------------------------------------------------------------

bool csp_map_get(const csp_map *m, const void *key, void *value)
{
    CSPI_FRAME();
    if (!m)
        return false;
    CSP_HOOK(read_range, m, NOTED_BYTES);
    const cspi_key k = key_of(m, key);
    uint32_t version = begin_read(m, reading);
    const unsigned char *from = find(m, &k);
    if (value) {
        CSP_HOOK(write_range, value, m->shape.value_size);
        if (from) {
            CSP_HOOK(read_range, from, m->shape.value_size);
            cspi_copy_value(value, from, m->shape.value_size);
        } else {
            memset(value, 0, m->shape.value_size);
        }
    }
    end_read(m, version, reading);
    return from;
}

void *csp_map_at(const csp_map *m, const void *key)
{
    CSPI_FRAME();
    if (!m)
        return NULL;
    CSP_HOOK(read_range, m, NOTED_BYTES);
    const cspi_key k = key_of(m, key);
    uint32_t version = begin_read(m, reading);
    void *value = find(m, &k);
    end_read(m, version, reading);
    return value;
}

size_t csp_map_len(const csp_map *m)
{
    CSPI_FRAME();
    if (!m)
        return 0;
    CSP_HOOK(read_range, m, NOTED_BYTES);
    const cspi_table *t = csp_load_acq(&m->table);
    return t ? t->count : 0;
}

// --- writing ----------------------------------------------------------------------------------------------------------------

CSPI_IN_PUBLIC void *ensure(csp_map *m, const void *key, const void *value, bool sets)
{
    if (!m)
        csp_panic("assignment to entry in nil map");
    CSP_HOOK(write_range, m, NOTED_BYTES);
    if (value)
        CSP_HOOK(read_range, value, m->shape.value_size);
    const cspi_key k = key_of(m, key);
    begin_write(m);
    unsigned char *to = find_or_add(m, &k);
    if (sets) {
        CSP_HOOK(write_range, to, m->shape.value_size);
        if (value)
            cspi_copy_value(to, value, m->shape.value_size);
        else
            memset(to, 0, m->shape.value_size);
    }
    end_write(m);
    return to;
}

void *csp_map_ensure(csp_map *m, const void *key)
{
    CSPI_FRAME();
    return ensure(m, key, NULL, false);
}

void csp_map_set(csp_map *m, const void *key, const void *value)
{
    CSPI_FRAME();
    ensure(m, key, value, true);
}

bool csp_map_delete(csp_map *m, const void *key)
{
    CSPI_FRAME();
    if (!m)
        return false;
    CSP_HOOK(write_range, m, NOTED_BYTES);
    const cspi_key k = key_of(m, key);
    begin_write(m);
    size_t place, moved = 0;
    bool found = m->table && cspi_table_find(m->table, &m->shape, &k, &place);
    if (found) {
        free_key(m, place);
        cspi_table_close(m->table, place, &moved);
        CSP_HOOK(write_range, cspi_entry(m->table, place), moved * m->table->stride);
    }
    end_write(m);
    return found;
}

void csp_map_clear(csp_map *m)
{
    CSPI_FRAME();
    if (!m)
        return;
    CSP_HOOK(write_range, m, NOTED_BYTES);
    begin_write(m);
    free_keys(m);
    if (m->table)
        cspi_table_clear(m->table);
    end_write(m);
}

// --- iterating --------------------------------------------------------------------------------------------------------------

csp_map_iter csp_map_each(const csp_map *m)
{
    uint64_t start = (uint64_t)cspi_random() << 32;
    return (csp_map_iter){.map = m, .from = start, .start = start};
}

// The place of the next entry; sets *done when there is none.
static size_t step(csp_map_iter *it, const cspi_table *t, bool *done)
{
    size_t place = cspi_table_next(t, it->from);
    if (place == t->places && !it->wrapped) {
        it->wrapped = true;
        it->from = 0;
        place = cspi_table_next(t, 0);
    }
    *done = place == t->places || (it->wrapped && t->hashes[place] >= it->start);
    return place;
}

bool csp_map_next(csp_map_iter *it, const void **key, void **value)
{
    CSPI_FRAME();
    const csp_map *m = it->map;
    if (!m)
        return false;
    CSP_HOOK(read_range, m, NOTED_BYTES);
    uint32_t version = begin_read(m, iterating);
    const cspi_table *t = csp_load_acq(&m->table);
    bool done = !t;
    size_t place = t ? step(it, t, &done) : 0;
    if (!done) {
        it->from = t->hashes[place] + 1;
        const void *entry = cspi_entry(t, place);
        if (key)
            *key = m->shape.key_size ? entry : ((const cspi_string *)entry)->bytes;
        if (value)
            *value = value_at(m, t, place);
    }
    end_read(m, version, iterating);
    return !done;
}
