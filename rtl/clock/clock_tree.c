// clock_tree.c - the shared trees of clocks: copy on write, joined by pointer where one side knows the other's node.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Why two passes: the first decides for each pair of nodes whose to keep, the second changes the tree. What a knows must not
//              change while it is asked: with some of b's nodes taken over, a would seem to know names of which only b knows
//              what they stand for.
// Invariants:  I1 a node with refs > 1 is never written   I2 no node is empty: a leaf has a value that is not 0
//              I3 clock values are below 2^63: they count epochs   I4 a node that is changed gets the changer's name or none
//              I5 nodes are taken out of a tree (`is_spent`) only where nobody else holds what they hang from
// Ordering:    E1 unref of a node: release -> the last unref: acquire; all reads of it precede its reuse
#include "clock/clock_tree.h"

#include "rtl.h"
#include "support/alloc.h"
#include "support/counters.h"

#include <string.h>

enum { LEAF_IDS = 1 << CSPR_LEAF_BITS, FAN = 1 << CSPR_FAN_BITS };

static size_t bytes_of(uint32_t height)
{
    return offsetof(cspr_tree, at) + (height ? FAN * sizeof(cspr_tree *) : LEAF_IDS * sizeof(uint64_t));
}

static cspr_tree *make_node(uint32_t height, cspr_name name)
{
    cspr_tree *t = cspr_alloc(bytes_of(height));
    t->refs = 1;
    t->height = height;
    t->name = name;
    return t;
}

cspr_tree *cspr_tree_ref(cspr_tree *t)
{
    if (t)
        __atomic_fetch_add(&t->refs, 1, __ATOMIC_RELAXED); // relaxed: the caller's own reference keeps it alive
    return t;
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as a tree is high, 10 at most
void cspr_tree_unref(cspr_tree *t)
{
    if (!t)
        return;
    // E1. The only reference is ours: nobody can take another one meanwhile, and no locked instruction is needed.
    if (__atomic_load_n(&t->refs, __ATOMIC_ACQUIRE) != 1 && __atomic_fetch_sub(&t->refs, 1, __ATOMIC_ACQ_REL) != 1)
        return;
    for (unsigned i = 0; t->height && i < FAN; i++)
        cspr_tree_unref(t->child[i]);
    cspr_free(t, bytes_of(t->height));
}

// *slot's node, ours alone to write.
static cspr_tree *own_node(cspr_tree **slot, cspr_name by)
{
    cspr_tree *t = *slot;
    if (cspr_tree_is_ours(t)) {
        t->name = by; // I4
        return t;
    }
    cspr_tree *fresh = make_node(t->height, by);
    memcpy(fresh->at, t->at, bytes_of(t->height) - offsetof(cspr_tree, at));
    for (unsigned i = 0; t->height && i < FAN; i++)
        cspr_tree_ref(fresh->child[i]);
    cspr_tree_unref(t);
    *slot = fresh;
    return fresh;
}

// One level more above t, whose reference it takes over: what it has, and its name, are the same.
static cspr_tree *heighten(cspr_tree *t)
{
    cspr_tree *above = make_node(t->height + 1, t->name);
    above->child[0] = t;
    return above;
}

static bool spans(const cspr_tree *t, uint32_t id)
{
    return !((uint64_t)id >> (CSPR_LEAF_BITS + CSPR_FAN_BITS * t->height));
}

void cspr_tree_put(cspr_tree **slot, uint32_t id, uint64_t at, cspr_name by)
{
    if (!*slot) {
        uint32_t height = 0;
        while ((uint64_t)id >> (CSPR_LEAF_BITS + CSPR_FAN_BITS * height))
            height++;
        *slot = make_node(height, by);
    }
    while (!spans(*slot, id))
        *slot = heighten(*slot);
    cspr_tree *t = own_node(slot, by);
    while (t->height) {
        slot = &t->child[id >> (CSPR_LEAF_BITS + CSPR_FAN_BITS * (t->height - 1)) & (FAN - 1)];
        if (!*slot)
            *slot = make_node(t->height - 1, by);
        t = own_node(slot, by);
    }
    t->at[id & (LEAF_IDS - 1)] = at;
}

cspr_tree_told cspr_tree_tell(cspr_tree *t, uint32_t id, uint64_t at, cspr_name by)
{
    if (!t || !spans(t, id))
        return CSPR_TREE_SHARED;
    cspr_tree *path[(32 - CSPR_LEAF_BITS + CSPR_FAN_BITS - 1) / CSPR_FAN_BITS];
    unsigned depth = 0;
    bool ours = cspr_tree_is_ours(t);
    for (; t->height; ours = ours && cspr_tree_is_ours(t)) {
        path[depth++] = t;
        t = t->child[id >> (CSPR_LEAF_BITS + CSPR_FAN_BITS * (t->height - 1)) & (FAN - 1)];
        if (!t)
            return CSPR_TREE_SHARED;
    }
    uint64_t *place = &t->at[id & (LEAF_IDS - 1)];
    if (*place >= at)
        return CSPR_TREE_KNEW;
    if (!ours)
        return CSPR_TREE_SHARED;
    *place = at;
    t->name = by; // I4
    while (depth)
        path[--depth]->name = by;
    return CSPR_TREE_WRITTEN;
}

// --- joining ----------------------------------------------------------------------------------------------------------------

// What becomes of a pair of nodes.
enum { KEEP_A = 1, TAKE_B = 2, EITHER = KEEP_A | TAKE_B, MIX = 0 };
enum { PLAN_NODES = 31 };

// What becomes of the children of mixed nodes, in the order in which both passes come to these.
typedef struct plan {
    const cspr_knower *a, *b;
    cspr_name by;
    uint32_t n;
    bool is_full;     // there were more
    bool spends;      // b's nodes that nobody else holds
    bool b_won;       // the last that a name has settled: the one beside it mostly goes the same way
    bool has_settled; // a name has settled something
    struct {
        uint8_t take, mix; // bits of children; the others are kept
    } of[PLAN_NODES];
} plan;

// Of values below 2^63 (I3) the difference says in its top bit which is less: SSE2 has no comparison of 64 bits. Most leaves
// that are looked at have news both ways, and tell so early.
static unsigned compare_leaves(const cspr_tree *a, const cspr_tree *b)
{
    enum { AT_ONCE = LEAF_IDS / 4 };
    uint64_t a_less = 0, b_less = 0;
    for (unsigned first = 0; first < LEAF_IDS && !((a_less & b_less) >> 63); first += AT_ONCE)
        for (unsigned i = first; i < first + AT_ONCE; i++) {
            a_less |= a->at[i] - b->at[i];
            b_less |= b->at[i] - a->at[i];
        }
    return (a_less >> 63 ? 0 : KEEP_A) | (b_less >> 63 ? 0 : TAKE_B);
}

// What the nodes' names tell (J4).
static unsigned decide_by_name(plan *p, const cspr_tree *a, const cspr_tree *b)
{
    if (a->name.id == b->name.id && cspr_tree_has_name(a)) // who holds a node knows its name
        return (a->name.at >= b->name.at ? KEEP_A : 0) | (a->name.at <= b->name.at ? TAKE_B : 0);
    bool b_won = p->b_won;
    if (cspr_knows_node(b_won ? p->b : p->a, b_won ? a : b))
        return b_won ? TAKE_B : KEEP_A;
    if (!cspr_knows_node(b_won ? p->a : p->b, b_won ? b : a))
        return MIX;
    p->b_won = !b_won;
    return b_won ? KEEP_A : TAKE_B;
}

// Bits of children that are not the same node. All at once: a jump for each would be guessed wrong as often as not.
static unsigned differing(const cspr_tree *a, const cspr_tree *b)
{
    unsigned same = 0;
    for (unsigned i = 0; i < FAN; i++)
        same |= (unsigned)(a->child[i] == b->child[i]) << i;
    return ~same & ((1u << FAN) - 1);
}

// a and b: of one height, two nodes.
// NOLINTNEXTLINE(misc-no-recursion): as deep as a tree is high
static unsigned decide(plan *p, const cspr_tree *a, const cspr_tree *b)
{
    unsigned named = decide_by_name(p, a, b);
    if (named) {
        p->has_settled = true;
        return named;
    }
    if (!a->height)
        return compare_leaves(a, b);
    if (p->n == PLAN_NODES) {
        p->is_full = true;
        return MIX;
    }
    uint32_t here = p->n++;
    unsigned not_a = 0, not_b = 0;
    for (unsigned left = differing(a, b); left; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctz(left);
        const cspr_tree *of_a = a->child[i], *of_b = b->child[i];
        unsigned one = !of_a ? TAKE_B : !of_b ? KEEP_A : decide(p, of_a, of_b); // I2
        not_a |= (unsigned)!(one & KEEP_A) << i;
        not_b |= (unsigned)!(one & TAKE_B) << i;
    }
    p->of[here].take = (uint8_t)(not_a & ~not_b);
    p->of[here].mix = (uint8_t)(not_a & not_b);
    if (!not_a || !not_b)
        p->n = here; // nobody will look at the children
    return (not_a ? 0 : KEEP_A) | (not_b ? 0 : TAKE_B);
}

// The greater of each pair: of values below 2^63 (I3) the difference has the answer in its top bit, without a jump.
static void mix_leaves(cspr_tree *to, const cspr_tree *a, const cspr_tree *b)
{
    for (unsigned i = 0; i < LEAF_IDS; i += 2) {
        __m128i of_a = _mm_loadu_si128((const __m128i *)&a->at[i]), of_b = _mm_loadu_si128((const __m128i *)&b->at[i]);
        __m128i over = _mm_sub_epi64(of_a, of_b);
        __m128i is_less = _mm_srai_epi32(_mm_shuffle_epi32(over, _MM_SHUFFLE(3, 3, 1, 1)), 31);
        _mm_storeu_si128((__m128i *)&to->at[i], _mm_sub_epi64(of_a, _mm_and_si128(over, is_less)));
    }
}

// *of_b goes to *slot as well; spent: the two are exchanged (I5), which takes no references.
static void take_child(cspr_tree **slot, cspr_tree **of_b, bool spent)
{
    cspr_tree *old = *slot;
    if (spent) {
        *slot = *of_b;
        *of_b = old;
    } else {
        *slot = cspr_tree_ref(*of_b);
        cspr_tree_unref(old);
    }
}

// The two leaves become one in *slot. ours: *slot's may be written; spent: *of_b's may.
static void mix_leaf(cspr_tree **slot, bool ours, cspr_tree **of_b, bool spent, cspr_name by)
{
    if (!ours && spent)
        take_child(slot, of_b, true);
    cspr_tree *a = *slot;
    if (!ours && !spent)
        *slot = make_node(0, by);
    (*slot)->name = by; // I4
    mix_leaves(*slot, a, *of_b);
    if (*slot != a)
        cspr_tree_unref(a);
}

// *slot's node becomes what is to be mixed of it and *of_b. ours: nobody else holds it; else it is copied. spent: nobody else
// holds *of_b, which is dropped after this.
// NOLINTNEXTLINE(misc-no-recursion): as deep as a tree is high
static void mix(plan *p, cspr_tree **slot, bool ours, cspr_tree **of_b, bool spent)
{
    if (!(*slot)->height) {
        mix_leaf(slot, ours, of_b, spent, p->by);
        return;
    }
    cspr_tree *a = *slot, *b = *of_b;
    // NOLINTNEXTLINE(clang-analyzer-core.uninitialized.Assign): `decide` came to the same nodes
    unsigned take = p->of[p->n].take, mixed = p->of[p->n].mix;
    p->n++;
    cspr_tree *t = ours ? a : make_node(a->height, p->by);
    t->name = p->by; // I4
    for (unsigned i = 0; !ours && i < FAN; i++)
        if (!(take >> i & 1))
            t->child[i] = cspr_tree_ref(a->child[i]);
    for (; take; take &= take - 1) {
        unsigned i = (unsigned)__builtin_ctz(take);
        take_child(&t->child[i], &b->child[i], spent);
    }
    for (; mixed; mixed &= mixed - 1) {
        unsigned i = (unsigned)__builtin_ctz(mixed);
        mix(p, &t->child[i], ours && cspr_tree_is_ours(t->child[i]), &b->child[i],
            spent && cspr_tree_is_ours(b->child[i]));
    }
    *slot = t;
    if (!ours)
        cspr_tree_unref(a);
}

// *slot and b: of one height. False: the plan is full, and nothing was done; *changed: whether something was.
static bool join_planned(plan *p, cspr_tree **slot, cspr_tree *b, bool *changed)
{
    cspr_tree *a = *slot;
    p->n = 0;
    p->is_full = false;
    unsigned what = a == b ? EITHER : !a ? TAKE_B : !b ? KEEP_A : decide(p, a, b); // I2
    if (p->is_full)
        return false;
    *changed |= !(what & KEEP_A);
    if (what & KEEP_A)
        return true;
    if (what) {
        take_child(slot, &b, false);
        return true;
    }
    p->n = 0;
    mix(p, slot, cspr_tree_is_ours(a), &b, p->spends && b->height && cspr_tree_is_ours(b)); // b's holder has it yet
    return true;
}

// For more pairs than a plan holds: one child after the other.
// NOLINTNEXTLINE(misc-no-recursion): as deep as a tree is high
static void join_parts(plan *p, cspr_tree **slot, cspr_tree *b, bool *changed)
{
    cspr_tree *a = own_node(slot, p->by);
    for (unsigned i = 0; i < FAN; i++)
        if (!join_planned(p, &a->child[i], b->child[i], changed))
            join_parts(p, &a->child[i], b->child[i], changed);
}

// The tree that is asked is kept as it is meanwhile; its nodes are copied, since they are held twice.
CSPR_NOINLINE static void join_large(plan *p, cspr_tree **slot, cspr_tree *b, bool *changed)
{
    cspr_known then = *p->a->known;
    then.tree = cspr_tree_ref(*slot);
    cspr_knower a = {&then, p->a->id, p->a->at, false};
    p->a = &a;
    p->spends = false;
    join_parts(p, slot, b, changed);
    cspr_tree_unref(then.tree);
}

bool cspr_tree_join(cspr_tree **slot, const cspr_knower *a, const cspr_knower *b, cspr_name by)
{
    cspr_tree *of_b = b->known->tree;
    if (!of_b || *slot == of_b)
        return false;
    if (!*slot) {
        *slot = cspr_tree_ref(of_b);
        return true;
    }
    while ((*slot)->height < of_b->height)
        *slot = heighten(*slot);
    bool is_lower = (*slot)->height > of_b->height;
    if (is_lower)
        cspr_tree_ref(of_b);
    while ((*slot)->height > of_b->height)
        of_b = heighten(of_b);
    plan p; // not cleared: `of` is written before it is read
    p.a = a;
    p.b = b;
    p.by = by;
    p.spends = b->is_spent;
    p.has_settled = false;
    p.b_won = false;
    bool changed = false;
    if (!join_planned(&p, slot, of_b, &changed))
        join_large(&p, slot, of_b, &changed);
    if (p.has_settled)
        cspr_count(CSPR_COUNT_NAMED);
    if (is_lower)
        cspr_tree_unref(of_b);
    return changed;
}
