// clock_tree.c - the shared trees of clocks: copy on write, joined by pointer where they are the same.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Invariants:  I1 a node with refs > 1 is never written   I2 no node is empty: a leaf has a value that is not 0
//              I3 clock values are below 2^63: they count epochs
// Ordering:    E1 unref of a node: release -> the last unref: acquire; all reads of it precede its reuse
#include "clock/clock_tree.h"

#include "rtl.h"
#include "support/alloc.h"

#include <string.h>

enum { LEAF_IDS = 1 << CSPR_LEAF_BITS, FAN = 1 << CSPR_FAN_BITS };

static size_t bytes_of(uint32_t height)
{
    return offsetof(cspr_tree, at) + (height ? FAN * sizeof(cspr_tree *) : LEAF_IDS * sizeof(uint64_t));
}

static cspr_tree *make_node(uint32_t height)
{
    cspr_tree *t = cspr_alloc(bytes_of(height));
    t->refs = 1;
    t->height = height;
    return t;
}

cspr_tree *cspr_tree_ref(cspr_tree *t)
{
    if (t)
        __atomic_fetch_add(&t->refs, 1, __ATOMIC_RELAXED); // relaxed: the caller's own reference keeps it alive
    return t;
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as a tree is high, 7 at most
void cspr_tree_unref(cspr_tree *t)
{
    if (!t || __atomic_fetch_sub(&t->refs, 1, __ATOMIC_ACQ_REL) != 1) // E1
        return;
    for (unsigned i = 0; t->height && i < FAN; i++)
        cspr_tree_unref(t->child[i]);
    cspr_free(t, bytes_of(t->height));
}

// *slot's node, ours alone to write (I1).
static cspr_tree *own_node(cspr_tree **slot)
{
    cspr_tree *t = *slot;
    // Acquire, E1: when we are the last holder, the others' reads are over.
    if (__atomic_load_n(&t->refs, __ATOMIC_ACQUIRE) == 1)
        return t;
    cspr_tree *fresh = make_node(t->height);
    memcpy(fresh->at, t->at, bytes_of(t->height) - offsetof(cspr_tree, at));
    for (unsigned i = 0; t->height && i < FAN; i++)
        cspr_tree_ref(fresh->child[i]);
    cspr_tree_unref(t);
    *slot = fresh;
    return fresh;
}

// One level more above *slot.
static void heighten(cspr_tree **slot)
{
    cspr_tree *t = make_node((*slot)->height + 1);
    t->child[0] = *slot;
    *slot = t;
}

static bool spans(const cspr_tree *t, uint32_t id)
{
    return !((uint64_t)id >> (CSPR_LEAF_BITS + CSPR_FAN_BITS * t->height));
}

void cspr_tree_put(cspr_tree **slot, uint32_t id, uint64_t at)
{
    if (!*slot) {
        uint32_t height = 0;
        while ((uint64_t)id >> (CSPR_LEAF_BITS + CSPR_FAN_BITS * height))
            height++;
        *slot = make_node(height);
    }
    while (!spans(*slot, id))
        heighten(slot);
    cspr_tree *t = own_node(slot);
    while (t->height) {
        slot = &t->child[id >> (CSPR_LEAF_BITS + CSPR_FAN_BITS * (t->height - 1)) & (FAN - 1)];
        if (!*slot)
            *slot = make_node(t->height - 1);
        t = own_node(slot);
    }
    t->at[id & (LEAF_IDS - 1)] = at;
}

// Of values below 2^63 (I3) the difference says in its top bit which is less: SSE2 has no comparison of 64 bits.
static bool leaf_covers(const cspr_tree *a, const cspr_tree *b)
{
    uint64_t less = 0;
    for (unsigned i = 0; i < LEAF_IDS; i++)
        less |= a->at[i] - b->at[i];
    return !(less >> 63);
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as a tree is high
bool cspr_tree_covers(const cspr_tree *a, const cspr_tree *b)
{
    if (!b || a == b)
        return true;
    if (!a)
        return false; // I2
    if (a->height > b->height)
        return cspr_tree_covers(a->child[0], b);
    if (!b->height)
        return leaf_covers(a, b);
    bool lower = a->height < b->height;
    for (unsigned i = 0; i < FAN; i++)
        if (!cspr_tree_covers(!lower ? a->child[i] : i == 0 ? a : NULL, b->child[i]))
            return false;
    return true;
}

// Which of two trees of one height has all that the other has.
enum { NEITHER = 0, A_COVERS = 1, B_COVERS = 2, SAME = A_COVERS | B_COVERS };

static unsigned compare_leaves(const cspr_tree *a, const cspr_tree *b)
{
    uint64_t a_less = 0, b_less = 0;
    for (unsigned i = 0; i < LEAF_IDS; i++) {
        a_less |= a->at[i] - b->at[i];
        b_less |= b->at[i] - a->at[i];
    }
    return (a_less >> 63 ? 0 : A_COVERS) | (b_less >> 63 ? 0 : B_COVERS);
}

// of_child: where the answers for the children go, NULL: nobody asks, and NEITHER ends the comparison.
// NOLINTNEXTLINE(misc-no-recursion): as deep as a tree is high
static unsigned compare(const cspr_tree *a, const cspr_tree *b, uint8_t *of_child)
{
    if (a == b)
        return SAME;
    if (!a || !b)
        return a ? A_COVERS : B_COVERS; // I2
    if (!a->height)
        return compare_leaves(a, b);
    unsigned all = SAME;
    for (unsigned i = 0; i < FAN && (all || of_child); i++) {
        unsigned one = compare(a->child[i], b->child[i], NULL);
        all &= one;
        if (of_child)
            of_child[i] = (uint8_t)one;
    }
    return all;
}

static void take(cspr_tree **slot, cspr_tree *b)
{
    cspr_tree_ref(b);
    cspr_tree_unref(*slot);
    *slot = b;
}

// Joins trees of one height, neither of which covers the other; of_child: what compare found of their children.
// NOLINTNEXTLINE(misc-no-recursion): as deep as a tree is high
static void mix(cspr_tree **slot, cspr_tree *b, const uint8_t *of_child)
{
    cspr_tree *a = own_node(slot);
    for (unsigned i = 0; !a->height && i < LEAF_IDS; i++)
        a->at[i] = a->at[i] < b->at[i] ? b->at[i] : a->at[i];
    for (unsigned i = 0; a->height && i < FAN; i++) {
        uint8_t below[FAN];
        if (of_child[i] & A_COVERS)
            continue;
        if (of_child[i] & B_COVERS) {
            take(&a->child[i], b->child[i]);
            continue;
        }
        if (b->child[i]->height)
            compare(a->child[i], b->child[i], below);
        mix(&a->child[i], b->child[i], below);
    }
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as a tree is high
bool cspr_tree_join(cspr_tree **slot, cspr_tree *b)
{
    if (!b || *slot == b)
        return false;
    if (*slot && (*slot)->height > b->height) {
        if (cspr_tree_covers(*slot, b))
            return false;
        return cspr_tree_join(&own_node(slot)->child[0], b);
    }
    if (!*slot || ((*slot)->height < b->height && cspr_tree_covers(b, *slot))) {
        take(slot, b);
        return true;
    }
    while ((*slot)->height < b->height)
        heighten(slot);
    uint8_t of_child[FAN];
    unsigned all = compare(*slot, b, of_child);
    if (all & A_COVERS)
        return false;
    if (all & B_COVERS)
        take(slot, b);
    else
        mix(slot, b, of_child);
    return true;
}
