// syncmap_stress.c - readers without a lock against a map that grows, shrinks and reuses its strings (shard.h: E1, E2).
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each key has one writer, which stores ever greater numbers. So whoever reads a key must find its numbers ascending: an older
// one after a newer one, a word of another number or another key's value is a read that should have been thrown away. Few keys
// and long values make reads meet changes often.
#include "stress.h"

#include <string.h>

enum { WRITERS = 3, READERS = 4, KEYS_EACH = 3, STEPS = 1000, WORDS = 300 };

struct value {
    unsigned long words[WORDS]; // all the same: number of the key, then the ascending one
};

struct shared {
    csp_syncmap *numbers, *names;
    csp_wg all;
    unsigned writers, readers; // atomic: so many have started
};

// Names of all lengths, so that pools of several sizes are used.
static const char *name_of(unsigned key, char *room)
{
    memset(room, 'a' + (int)(key % 20), 1 + key % 37);
    sprintf(room + 1 + key % 37, "%u", key);
    return room;
}

static void write_all(void *arg)
{
    struct shared *s = arg;
    unsigned seed = __atomic_fetch_add(&s->writers, 1, __ATOMIC_RELAXED), first = seed * KEYS_EACH;
    for (unsigned long n = 1; n <= STEPS; n++) {
        unsigned key = first + rnd(&seed, KEYS_EACH);
        char room[64];
        struct value v;
        for (int i = 0; i < WORDS; i++)
            v.words[i] = (unsigned long)key << 32 | n;
        if (rnd(&seed, 4)) {
            csp_syncmap_store(s->numbers, &key, &v);
            csp_syncmap_store(s->names, name_of(key, room), &v);
        } else {
            csp_syncmap_delete(s->numbers, &key);
            csp_syncmap_delete(s->names, name_of(key, room));
        }
        if (n % 128 == 0)
            csp_yield();
    }
    csp_wg_done(&s->all);
}

static void check(const struct value *v, unsigned key, unsigned long *last)
{
    for (int i = 1; i < WORDS; i++)
        CHECK(v->words[i] == v->words[0]);
    CHECK(v->words[0] >> 32 == key);
    CHECK(v->words[0] >= *last);
    *last = v->words[0];
}

static void read_all(void *arg)
{
    struct shared *s = arg;
    enum { KEYS = WRITERS * KEYS_EACH };
    unsigned long last_number[KEYS] = {0}, last_name[KEYS] = {0};
    unsigned seed = 77 + __atomic_fetch_add(&s->readers, 1, __ATOMIC_RELAXED);
    for (int i = 0; i < 2 * STEPS; i++) {
        unsigned key = rnd(&seed, KEYS);
        struct value v;
        char room[64];
        if (csp_syncmap_load(s->numbers, &key, &v))
            check(&v, key, &last_number[key]);
        if (csp_syncmap_load(s->names, name_of(key, room), &v))
            check(&v, key, &last_name[key]);
        if (i % 128 == 0)
            csp_yield();
    }
    csp_wg_done(&s->all);
}

static bool count(const void *key, void *value, void *arg)
{
    (void)key, (void)value;
    ++*(size_t *)arg;
    return true;
}

static void one_round(unsigned unused)
{
    (void)unused;
    struct shared *s = new_zeroed(sizeof *s);
    s->numbers = csp_syncmap_new(sizeof(unsigned), sizeof(struct value));
    s->names = csp_syncmap_new_str(sizeof(struct value));
    csp_wg_add(&s->all, WRITERS + READERS);
    for (int w = 0; w < WRITERS; w++)
        csp_go(write_all, s);
    for (int r = 0; r < READERS; r++)
        csp_go(read_all, s);
    csp_wg_wait(&s->all);
    size_t counted = 0;
    csp_syncmap_range(s->names, count, &counted);
    CHECK(counted == csp_syncmap_len(s->names) && counted == csp_syncmap_len(s->numbers));
    csp_syncmap_free(s->numbers);
    csp_syncmap_free(s->names);
    free(s);
}

int main(void)
{
    repeat(one_round);
    return 0;
}
