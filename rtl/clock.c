// clock.c - joining, publishing and sharing of clock leaves.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Invariants:  I1 a leaf with refs > 1 is never written   I2 a stamp is never written after it has a second reference
// Ordering:    E1 unref of a leaf or stamp: release -> the last unref: acquire; all reads of it precede its reuse
#include "clock.h"

#include "alloc.h"
#include "rtl.h"

#include <string.h>

static void unref_leaf(cspr_leaf *l)
{
    if (l && __atomic_fetch_sub(&l->refs, 1, __ATOMIC_ACQ_REL) == 1) // E1
        cspr_free(l, sizeof *l);
}

static cspr_leaf *ref_leaf(cspr_leaf *l)
{
    if (l)
        __atomic_fetch_add(&l->refs, 1, __ATOMIC_RELAXED); // relaxed: the caller's own reference keeps it alive
    return l;
}

void cspr_clock_init(cspr_clock *c, uint32_t own, uint64_t own_at)
{
    *c = (cspr_clock){.own = own, .own_at = own_at, .cap = 1};
    c->leaf = &c->first;
}

void cspr_clock_fini(cspr_clock *c)
{
    for (uint32_t i = 0; i < c->n; i++)
        unref_leaf(c->leaf[i]);
    if (c->leaf != &c->first)
        cspr_free(c->leaf, c->cap * sizeof *c->leaf);
    c->n = 0;
}

static void make_room(cspr_clock *c, uint32_t n)
{
    if (n > c->cap) {
        uint32_t cap = n < 2 * c->cap ? 2 * c->cap : n;
        cspr_leaf **row = cspr_alloc(cap * sizeof *row);
        memcpy(row, c->leaf, c->n * sizeof *row);
        if (c->leaf != &c->first)
            cspr_free(c->leaf, c->cap * sizeof *row);
        c->leaf = row;
        c->cap = cap;
    }
    for (; c->n < n; c->n++)
        c->leaf[c->n] = NULL;
}

// Leaf i of c, ours alone to write (I1).
static cspr_leaf *own_leaf(cspr_clock *c, uint32_t i)
{
    cspr_leaf *l = c->leaf[i]; // NOLINT(clang-analyzer-security.ArrayBound): i < n always
    // Acquire, E1: when we are the last holder, the others' reads are over.
    if (l && __atomic_load_n(&l->refs, __ATOMIC_ACQUIRE) == 1)
        return l;
    cspr_leaf *fresh = cspr_alloc(sizeof *fresh);
    if (l)
        memcpy(fresh->at, l->at, sizeof fresh->at);
    fresh->refs = 1;
    unref_leaf(l);
    c->leaf[i] = fresh;
    return fresh;
}

bool cspr_clock_raise(cspr_clock *c, uint32_t id, uint64_t at)
{
    if (cspr_clock_get(c, id) >= at)
        return false;
    if (id == c->own) {
        c->own_at = at;
        return true;
    }
    make_room(c, id / CSPR_LEAF_IDS + 1);
    own_leaf(c, id / CSPR_LEAF_IDS)->at[id % CSPR_LEAF_IDS] = at;
    return true;
}

static bool leaf_covers(const cspr_leaf *a, const cspr_leaf *b)
{
    uint64_t less = 0;
    for (unsigned i = 0; i < CSPR_LEAF_IDS; i++)
        less |= a->at[i] < b->at[i];
    return !less;
}

static bool join_leaf(cspr_clock *c, uint32_t i, cspr_leaf *b)
{
    cspr_leaf *a = c->leaf[i];
    if (!b || a == b || (a && leaf_covers(a, b)))
        return false;
    if (!a || leaf_covers(b, a)) {
        c->leaf[i] = ref_leaf(b);
        unref_leaf(a);
        return true;
    }
    a = own_leaf(c, i);
    for (unsigned k = 0; k < CSPR_LEAF_IDS; k++)
        if (a->at[k] < b->at[k])
            a->at[k] = b->at[k];
    return true;
}

bool cspr_clock_join(cspr_clock *c, const cspr_stamp *s)
{
    if (!s)
        return false;
    bool changed = false;
    if (s->n > c->n)
        make_room(c, s->n);
    for (uint32_t i = 0; i < s->n; i++)
        changed |= join_leaf(c, i, s->leaf[i]);
    if (s->id != CSPR_NO_ID)
        changed |= cspr_clock_raise(c, s->id, s->at);
    return changed;
}

bool cspr_clock_covers(const cspr_clock *c, const cspr_stamp *s)
{
    if (s->id != CSPR_NO_ID && cspr_clock_get(c, s->id) < s->at)
        return false;
    for (uint32_t i = 0; i < s->n; i++) {
        if (!s->leaf[i] || (i < c->n && s->leaf[i] == c->leaf[i]))
            continue;
        for (uint32_t k = 0; k < CSPR_LEAF_IDS; k++) // by id: our own component in the leaves is stale
            if (cspr_clock_get(c, i * CSPR_LEAF_IDS + k) < s->leaf[i]->at[k])
                return false;
    }
    return true;
}

static size_t stamp_bytes(uint32_t n)
{
    return sizeof(cspr_stamp) + n * sizeof(cspr_leaf *);
}

cspr_stamp *cspr_stamp_of(const cspr_clock *c, uint32_t who)
{
    cspr_stamp *s = cspr_alloc(stamp_bytes(c->n));
    s->refs = 1;
    s->who = who;
    s->id = c->own;
    s->at = c->own_at;
    s->n = c->n;
    for (uint32_t i = 0; i < c->n; i++)
        s->leaf[i] = ref_leaf(c->leaf[i]);
    return s;
}

cspr_stamp *cspr_stamp_merge(cspr_stamp *a, cspr_stamp *b)
{
    if (!a || a == b)
        return a ? a : cspr_stamp_ref(b);
    if (!b)
        return a;
    cspr_clock sum;
    cspr_clock_init(&sum, CSPR_NO_ID, 0);
    cspr_clock_join(&sum, a);
    cspr_stamp_unref(a); // before the second join: leaves only we hold are then written in place
    cspr_clock_join(&sum, b);
    cspr_stamp *s = cspr_stamp_of(&sum, 0);
    cspr_clock_fini(&sum);
    return s;
}

cspr_stamp *cspr_stamp_ref(cspr_stamp *s)
{
    if (s)
        __atomic_fetch_add(&s->refs, 1, __ATOMIC_RELAXED); // relaxed: the caller keeps it alive
    return s;
}

void cspr_stamp_unref(cspr_stamp *s)
{
    if (!s || __atomic_fetch_sub(&s->refs, 1, __ATOMIC_ACQ_REL) != 1) // E1
        return;
    for (uint32_t i = 0; i < s->n; i++)
        unref_leaf(s->leaf[i]);
    cspr_free(s, stamp_bytes(s->n));
}
