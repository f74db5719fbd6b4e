// clock_tree.c - the shared trees of clocks: copy on write, joined by pointer where they are the same.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Invariants:  I1 a node with refs > 1 is never written   I2 no node is empty: a leaf has a value that is not 0
// Ordering:    E1 unref of a node: release -> the last unref: acquire; all reads of it precede its reuse
#include "clock_tree.h"

#include "alloc.h"
#include "rtl.h"

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

static bool leaf_covers(const cspr_tree *a, const cspr_tree *b)
{
    uint64_t less = 0;
    for (unsigned i = 0; i < LEAF_IDS; i++)
        less |= a->at[i] < b->at[i];
    return !less;
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

// NOLINTNEXTLINE(misc-no-recursion): as deep as a tree is high
bool cspr_tree_join(cspr_tree **slot, cspr_tree *b)
{
    if (cspr_tree_covers(*slot, b))
        return false;
    if (cspr_tree_covers(b, *slot)) {
        cspr_tree_ref(b);
        cspr_tree_unref(*slot);
        *slot = b;
        return true;
    }
    while ((*slot)->height < b->height)
        heighten(slot);
    cspr_tree *a = own_node(slot);
    if (a->height > b->height) {
        cspr_tree_join(&a->child[0], b);
    } else if (a->height) {
        for (unsigned i = 0; i < FAN; i++)
            cspr_tree_join(&a->child[i], b->child[i]);
    } else {
        for (unsigned i = 0; i < LEAF_IDS; i++)
            if (a->at[i] < b->at[i])
                a->at[i] = b->at[i];
    }
    return true;
}
