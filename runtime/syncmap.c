// syncmap.c - csp_syncmap: the public operations, each on the shard that its key belongs to.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// See: shard.h for how readers do without a lock, and what orders what.
#include "csp/map.h"

#include "hash.h"
#include "panic.h"
#include "shard.h"
#include "waitq.h"

#include "csp/go.h"

#include <stdlib.h>
#include <string.h>

struct csp_syncmap {
    // --- immutable
    cspi_shard_kind kind;
    cspi_hash_seed seed;
    // ---
    cspi_shard shards[CSPI_SHARDS];
};

CSPI_IN_PUBLIC cspi_key key_of(const csp_syncmap *m, const void *key)
{
    size_t n = m->kind.shape.key_size ? m->kind.shape.key_size : strlen(key);
    CSP_HOOK(read_range, key, m->kind.shape.key_size ? n : n + 1);
    uint64_t hash = cspi_hash(&m->seed, key, n);
    return (cspi_key){key, n, hash == CSPI_NO_ENTRY ? 0 : hash};
}

// By the lower bits: the upper ones choose the place in the table.
static cspi_shard *shard_of(csp_syncmap *m, uint64_t hash)
{
    return &m->shards[hash % CSPI_SHARDS];
}

// Copies the value found, or zeroes.
CSPI_IN_PUBLIC void hand_out(const cspi_shard_use *a, void *value)
{
    if (!value)
        return;
    CSP_HOOK(write_range, value, a->kind->value_size);
    if (a->found)
        memcpy(value, cspi_shard_value(a), a->kind->value_size);
    else
        memset(value, 0, a->kind->value_size);
}

static bool holds(const cspi_shard_use *a, const void *expected)
{
    return a->found && memcmp(cspi_shard_value(a), expected, a->kind->value_size) == 0;
}

static cspi_shard_use look(csp_syncmap *m, const cspi_key *key)
{
    return cspi_shard_look(&m->kind, shard_of(m, key->hash), key);
}

// --- making and freeing -----------------------------------------------------------------------------------------------------

CSPI_IN_PUBLIC csp_syncmap *make_map(size_t key_size, size_t value_size)
{
    if (value_size > SIZE_MAX / 4 || key_size > SIZE_MAX / 4)
        csp_panic("csp_syncmap_new: size out of range");
    csp_syncmap *m = aligned_alloc(_Alignof(csp_syncmap), sizeof *m);
    if (!m)
        cspi_fatal("out of memory: map");
    *m = (csp_syncmap){
        .kind = cspi_shard_kind_of(key_size, value_size),
        .seed = cspi_hash_seed_new(),
    };
    return m;
}

csp_syncmap *csp_syncmap_new(size_t key_size, size_t value_size)
{
    CSPI_FRAME();
    if (!key_size)
        csp_panic("csp_syncmap_new: keys of no size");
    return make_map(key_size, value_size);
}

csp_syncmap *csp_syncmap_new_str(size_t value_size)
{
    CSPI_FRAME();
    return make_map(0, value_size);
}

void csp_syncmap_free(csp_syncmap *m)
{
    CSPI_FRAME();
    CSPI_POINT(MAP_WRITE, m);
    for (int i = 0; m && i < CSPI_SHARDS; i++)
        cspi_shard_fini(&m->kind, &m->shards[i]);
    free(m);
}

// --- one key ----------------------------------------------------------------------------------------------------------------

bool csp_syncmap_load(csp_syncmap *m, const void *key, void *value)
{
    CSPI_FRAME();
    CSPI_POINT(MAP_READ, m);
    if (!m)
        return false;
    cspi_key k = key_of(m, key);
    bool found;
    if (cspi_shard_read(&m->kind, shard_of(m, k.hash), &k, value, &found)) {
        if (!found && value)
            memset(value, 0, m->kind.value_size);
        return found;
    }
    cspi_shard_use a = look(m, &k);
    cspi_shard_see(&a);
    hand_out(&a, value);
    cspi_shard_done(&a);
    return a.found;
}

// What the functions that may add a key begin with.
CSPI_IN_PUBLIC cspi_key stored_key(const csp_syncmap *m, const void *key, const void *value)
{
    if (!m)
        csp_panic("assignment to entry in nil map");
    CSP_HOOK(read_range, value, m->kind.value_size);
    (void)value;
    return key_of(m, key);
}

void csp_syncmap_store(csp_syncmap *m, const void *key, const void *value)
{
    CSPI_FRAME();
    CSPI_POINT(MAP_WRITE, m);
    cspi_key k = stored_key(m, key, value);
    cspi_shard_use a = look(m, &k);
    cspi_shard_put(&a, value);
    cspi_shard_done(&a);
}

bool csp_syncmap_load_or_store(csp_syncmap *m, const void *key, const void *value, void *actual)
{
    CSPI_FRAME();
    CSPI_POINT(MAP_WRITE, m);
    cspi_key k = stored_key(m, key, value);
    bool found;
    if (cspi_shard_read(&m->kind, shard_of(m, k.hash), &k, actual, &found) && found)
        return true;
    cspi_shard_use a = look(m, &k);
    cspi_shard_see(&a);
    if (!a.found)
        cspi_shard_put(&a, value);
    found = a.found;
    a.found = true; // by now, in either case
    hand_out(&a, actual);
    cspi_shard_done(&a);
    return found;
}

bool csp_syncmap_swap(csp_syncmap *m, const void *key, const void *value, void *previous)
{
    CSPI_FRAME();
    CSPI_POINT(MAP_WRITE, m);
    cspi_key k = stored_key(m, key, value);
    cspi_shard_use a = look(m, &k);
    cspi_shard_see(&a);
    hand_out(&a, previous);
    cspi_shard_put(&a, value);
    cspi_shard_done(&a);
    return a.found;
}

bool csp_syncmap_load_and_delete(csp_syncmap *m, const void *key, void *value)
{
    CSPI_FRAME();
    CSPI_POINT(MAP_WRITE, m);
    if (!m)
        return false;
    cspi_key k = key_of(m, key);
    cspi_shard_use a = look(m, &k);
    cspi_shard_see(&a);
    hand_out(&a, value);
    if (a.found)
        cspi_shard_take_out(&a);
    cspi_shard_done(&a);
    return a.found;
}

bool csp_syncmap_delete(csp_syncmap *m, const void *key)
{
    CSPI_FRAME();
    CSPI_POINT(MAP_WRITE, m);
    if (!m)
        return false;
    cspi_key k = key_of(m, key);
    cspi_shard_use a = look(m, &k);
    cspi_shard_see(&a);
    if (a.found)
        cspi_shard_take_out(&a);
    cspi_shard_done(&a);
    return a.found;
}

bool csp_syncmap_compare_and_swap(csp_syncmap *m, const void *key, const void *expected, const void *value)
{
    CSPI_FRAME();
    CSPI_POINT(MAP_WRITE, m);
    if (!m)
        return false;
    cspi_key k = key_of(m, key);
    CSP_HOOK(read_range, expected, m->kind.value_size);
    CSP_HOOK(read_range, value, m->kind.value_size);
    cspi_shard_use a = look(m, &k);
    cspi_shard_see(&a);
    bool same = holds(&a, expected);
    if (same)
        cspi_shard_put(&a, value);
    cspi_shard_done(&a);
    return same;
}

bool csp_syncmap_compare_and_delete(csp_syncmap *m, const void *key, const void *expected)
{
    CSPI_FRAME();
    CSPI_POINT(MAP_WRITE, m);
    if (!m)
        return false;
    cspi_key k = key_of(m, key);
    CSP_HOOK(read_range, expected, m->kind.value_size);
    cspi_shard_use a = look(m, &k);
    cspi_shard_see(&a);
    bool same = holds(&a, expected);
    if (same)
        cspi_shard_take_out(&a);
    cspi_shard_done(&a);
    return same;
}

// --- all keys ---------------------------------------------------------------------------------------------------------------

CSPI_IN_PUBLIC void make_room(const csp_syncmap *m, cspi_shard_copy *c, size_t key_bytes)
{
    size_t value_bytes = (m->kind.value_size + 15) / 16 * 16;
    free(c->value);
    c->value = malloc(value_bytes + key_bytes);
    if (!c->value)
        cspi_fatal("out of memory: map entry of %zu bytes", value_bytes + key_bytes);
    c->key = c->value + value_bytes;
    c->key_room = key_bytes;
}

void csp_syncmap_range(csp_syncmap *m, bool (*fn)(const void *key, void *value, void *arg), void *arg)
{
    CSPI_FRAME();
    CSPI_POINT(MAP_READ, m);
    if (!m)
        return;
    cspi_shard_copy c = {0};
    make_room(m, &c, m->kind.shape.key_size ? m->kind.shape.key_size : 64);
    bool goes_on = true;
    uint32_t first = cspi_random();
    for (uint32_t i = 0; goes_on && i < CSPI_SHARDS; i++) {
        uint64_t from = 0;
        size_t key_bytes;
        while (goes_on) {
            cspi_shard *s = &m->shards[(first + i) % CSPI_SHARDS];
            enum cspi_shard_step step = cspi_shard_next(&m->kind, s, &from, &c, &key_bytes);
            if (step == CSPI_SHARD_NO_MORE)
                break;
            if (step == CSPI_SHARD_NO_ROOM)
                make_room(m, &c, key_bytes * 2);
            else
                goes_on = fn(c.key, c.value, arg);
        }
    }
    free(c.value);
}

void csp_syncmap_clear(csp_syncmap *m)
{
    CSPI_FRAME();
    CSPI_POINT(MAP_WRITE, m);
    for (int i = 0; m && i < CSPI_SHARDS; i++) {
        cspi_lock_acquire(&m->shards[i].lock);
        cspi_shard_empty(&m->kind, &m->shards[i]);
        cspi_lock_release(&m->shards[i].lock);
    }
}

size_t csp_syncmap_len(const csp_syncmap *m)
{
    size_t n = 0;
    for (int i = 0; m && i < CSPI_SHARDS; i++)
        n += csp_load_rlx(&m->shards[i].count); // relaxed: a moment's number
    return n;
}
