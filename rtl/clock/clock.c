// clock.c - joining, publishing and accumulating what is known; the trees are clock_tree.c's.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Invariants:  I1 known.at[i] is newer than what known.tree has of known.id[i], which is nothing of CSPR_FIRST_ID: whatever
//                 puts values into trees asks `goes_to_tree` first   I2 all of known.within is known
//              I3 a stamp is never written after it has a second reference
//              I4 a published stamp has room for one more recent value, so that taking it over needs no new tree
// Ordering:    E1 unref of a stamp: release -> the last unref: acquire; all reads of it precede its reuse
#include "clock/clock.h"

#include "clock/clock_tree.h"
#include "rtl.h"
#include "support/alloc.h"

#define NOBODY ((cspr_name){.id = CSPR_NO_ID}) // changes what is in a stamp, or anything with named_nodes off

// --- what is known ----------------------------------------------------------------------------------------------------------

static void set_within(cspr_known *k, cspr_tree *tree)
{
    cspr_tree_ref(tree);
    cspr_tree_unref(k->within);
    k->within = tree;
}

static void set_tree(cspr_known *k, cspr_tree *tree)
{
    cspr_tree_ref(tree);
    cspr_tree_unref(k->tree);
    k->tree = tree;
}

static void forget(cspr_known *k)
{
    cspr_tree_unref(k->tree);
    cspr_tree_unref(k->within);
    *k = (cspr_known){0};
}

static void copy(cspr_known *k, const cspr_known *from)
{
    *k = *from;
    cspr_tree_ref(k->tree);
    cspr_tree_ref(k->within);
}

static bool goes_to_tree(uint32_t id)
{
    return id != CSPR_FIRST_ID;
}

// The recent values go into the tree. by: as clock_tree.h has it.
static void fold(cspr_known *k, cspr_name by)
{
    // Shared, it stays what others descend from; ours alone, it is written in place. With a name it is told by that.
    if (k->tree && !cspr_tree_has_name(k->tree) &&
        __atomic_load_n(&k->tree->refs, __ATOMIC_RELAXED) > 1) // relaxed: a hint for J3
        set_within(k, k->tree);
    uint32_t n = k->n;
    k->n = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (goes_to_tree(k->id[i])) {
            cspr_tree_put(&k->tree, k->id[i], k->at[i], by);
        } else {
            k->at[k->n] = k->at[i];
            k->id[k->n++] = k->id[i];
        }
    }
}

// What the tree says to id@at, which takes it in if nobody else has it that far down.
static cspr_tree_told tell_tree(cspr_known *k, uint32_t id, uint64_t at, cspr_name by)
{
    return goes_to_tree(id) ? cspr_tree_tell(k->tree, id, at, by) : CSPR_TREE_SHARED;
}

// For an id that is not among the recent values.
CSPR_NOINLINE static bool raise_other(cspr_known *k, uint32_t id, uint64_t at, cspr_name by)
{
    cspr_tree_told told = tell_tree(k, id, at, by);
    if (told != CSPR_TREE_SHARED)
        return told == CSPR_TREE_WRITTEN;
    if (k->n == CSPR_RECENT)
        fold(k, by);
    k->id[k->n] = id;
    k->at[k->n++] = at;
    return true;
}

static inline bool raise(cspr_known *k, uint32_t id, uint64_t at, cspr_name by)
{
    uint32_t i = cspr_recent_place(k, id);
    if (i == k->n)
        return raise_other(k, id, at, by);
    uint64_t had = k->at[i]; // written in any case: who is ahead cannot be guessed
    k->at[i] = had < at ? at : had;
    return had < at;
}

// The tree has changed: I1. What of it has just been made may take values in.
static void settle_recent(cspr_known *k, cspr_name by)
{
    for (uint32_t i = 0; i < k->n;) {
        if (tell_tree(k, k->id[i], k->at[i], by) == CSPR_TREE_SHARED) {
            i++;
            continue;
        }
        k->n--;
        k->id[i] = k->id[k->n];
        k->at[i] = k->at[k->n];
    }
}

static void drop_recent(cspr_known *k, uint32_t id)
{
    uint32_t i = cspr_recent_place(k, id);
    if (i == k->n)
        return;
    k->n--;
    k->id[i] = k->id[k->n];
    k->at[i] = k->at[k->n];
}

// by: of what changes in k, which is what self knows.
static bool join_tree(cspr_known *k, const cspr_knower *self, const cspr_knower *other, cspr_name by)
{
    const cspr_known *from = other->known;
    if (!from->tree || from->tree == k->tree || from->tree == k->within)
        return false;
    bool changed = true;
    if (!k->tree || from->within == k->tree) {
        set_tree(k, from->tree);
        set_within(k, from->within);
    } else {
        changed = cspr_tree_join(&k->tree, self, other, by);
        set_within(k, k->tree == from->tree ? from->within : cspr_tree_has_name(from->tree) ? NULL : from->tree);
    }
    settle_recent(k, by);
    return changed;
}

static bool join_known(cspr_known *k, const cspr_knower *self, const cspr_knower *other, cspr_name by)
{
    const cspr_known *from = other->known;
    bool changed = join_tree(k, self, other, by);
    for (uint32_t i = 0; i < from->n; i++)
        if (from->id[i] != self->id)
            changed |= raise(k, from->id[i], from->at[i], by);
    return changed;
}

static bool join(cspr_known *k, const cspr_knower *self, const cspr_stamp *s, cspr_name by)
{
    bool changed = join_known(k, self, &(cspr_knower){&s->known, s->id, s->at, false}, by);
    if (s->id != CSPR_NO_ID)
        changed |= raise(k, s->id, s->at, by);
    return changed;
}

static uint64_t stamp_get(const cspr_stamp *s, uint32_t id)
{
    return id == s->id ? s->at : cspr_known_get(&s->known, id);
}

static bool is_named(const cspr_stamp *s)
{
    return s->id != CSPR_NO_ID;
}

// --- clocks -----------------------------------------------------------------------------------------------------------------

void cspr_clock_init(cspr_clock *c, uint32_t own, uint64_t own_at)
{
    *c = (cspr_clock){.covered_id = CSPR_NO_ID};
    cspr_clock_set_own(c, own, own_at);
}

void cspr_clock_set_own(cspr_clock *c, uint32_t own, uint64_t own_at)
{
    c->own = own;
    c->own_at = c->published_at = own_at; // its last owner may have published that: J1
}

void cspr_clock_fini(cspr_clock *c)
{
    forget(&c->known);
}

// For nodes that c changes: J4.
static cspr_name next_name(const cspr_clock *c)
{
    return cspr_flags.named_nodes ? (cspr_name){c->own, c->published_at + 1} : NOBODY;
}

static cspr_knower knower(const cspr_clock *c)
{
    return (cspr_knower){&c->known, c->own, c->own_at, false};
}

// J2, or c knows nothing.
static bool is_covered_by(const cspr_clock *c, const cspr_stamp *s)
{
    return (!c->known.tree && !c->known.n) ||
           (c->covered_id != CSPR_NO_ID && stamp_get(s, c->covered_id) >= c->covered_at);
}

static void take_over(cspr_clock *c, const cspr_stamp *s)
{
    cspr_known old = c->known;
    copy(&c->known, &s->known);
    forget(&old);
    if (is_named(s))
        raise(&c->known, s->id, s->at, next_name(c));
    c->covered_id = s->id;
    c->covered_at = s->at;
}

bool cspr_clock_join(cspr_clock *c, const cspr_stamp *s)
{
    if (!s || (is_named(s) && cspr_clock_get(c, s->id) >= s->at)) // J1
        return false;
    if (is_covered_by(c, s)) {
        take_over(c, s);
        return true;
    }
    cspr_knower self = knower(c);
    if (!join(&c->known, &self, s, next_name(c)))
        return false;
    c->covered_id = CSPR_NO_ID;
    return true;
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as a tree is high
static bool covers_tree(const cspr_knower *c, const cspr_tree *known, const cspr_tree *t, uint32_t first)
{
    if (!t || t == known || cspr_knows_node(c, t))
        return true;
    if (t->height) {
        for (unsigned i = 0; i < 1 << CSPR_FAN_BITS; i++) {
            const cspr_tree *same = known && known->height == t->height ? known->child[i] : NULL;
            uint32_t at = first + (i << (CSPR_LEAF_BITS + CSPR_FAN_BITS * (t->height - 1)));
            if (!covers_tree(c, same, t->child[i], at))
                return false;
        }
        return true;
    }
    for (unsigned i = 0; i < 1 << CSPR_LEAF_BITS; i++) // by id: own component and recent values are not in the tree
        if (cspr_knower_get(c, first + i) < t->at[i])
            return false;
    return true;
}

bool cspr_clock_covers(const cspr_clock *c, const cspr_stamp *s)
{
    if (is_named(s))
        return cspr_clock_get(c, s->id) >= s->at; // J1
    for (uint32_t i = 0; i < s->known.n; i++)
        if (cspr_clock_get(c, s->known.id[i]) < s->known.at[i])
            return false;
    const cspr_tree *t = s->known.tree, *known = c->known.tree;
    while (t && known && known->height > t->height)
        known = known->child[0];
    cspr_knower self = knower(c);
    return t == c->known.within || covers_tree(&self, known, t, 0);
}

// The next name of c's: J1.
static void take_name(cspr_clock *c)
{
    if (c->own_at == c->published_at)
        c->own_at++;
    c->published_at = c->own_at;
}

static bool knows_all_of(const cspr_clock *c, const cspr_clock *other)
{
    return (!other->known.tree && !other->known.n) ||
           (other->covered_id != CSPR_NO_ID && cspr_clock_get(c, other->covered_id) >= other->covered_at); // J2
}

// from knew all that c knows, and c's own component.
static void copy_from(cspr_clock *c, const cspr_clock *from)
{
    cspr_known old = c->known;
    copy(&c->known, &from->known);
    forget(&old);
    drop_recent(&c->known, c->own);
}

static bool has_own_tree(const cspr_clock *c)
{
    return c->known.tree && cspr_tree_is_ours(c->known.tree);
}

void cspr_clock_meet(cspr_clock *a, cspr_clock *b)
{
    bool a_knows = knows_all_of(a, b), b_knows = knows_all_of(b, a);
    // The one who knows all, or whose tree is written in place.
    if (!a_knows && (b_knows || (has_own_tree(b) && !has_own_tree(a)))) {
        cspr_clock *swap = a;
        a = b;
        b = swap;
    }
    // Both names are told from here on, to the other, with all that is written below. Always the lower one's: two nodes
    // with names of one id are decided without asking.
    cspr_name by = a->own < b->own ? next_name(a) : next_name(b);
    if (!a_knows && !b_knows) {
        cspr_knower self = knower(a), other = knower(b);
        other.is_spent = true; // b takes over all of a's
        join_known(&a->known, &self, &other, by);
    }
    if (a->known.n == CSPR_RECENT)
        fold(&a->known, by); // once for both
    take_name(a);
    take_name(b);
    raise(&a->known, b->own, b->own_at, by);
    if (!(a_knows && b_knows)) {
        drop_recent(&a->known, a->own);
        tell_tree(&a->known, a->own, a->own_at, by);
        copy_from(b, a);
    }
    raise(&b->known, a->own, a->own_at, by);
    // Nobody has been told either name, and who is told one from now on is told all that both know.
    a->covered_id = b->covered_id = a->own;
    a->covered_at = b->covered_at = a->own_at;
}

// --- stamps -----------------------------------------------------------------------------------------------------------------

cspr_stamp *cspr_clock_publish(cspr_clock *c, uint32_t who)
{
    if (c->known.n == CSPR_RECENT)
        fold(&c->known, next_name(c)); // I4
    take_name(c);
    c->covered_id = c->own;
    c->covered_at = c->own_at;
    cspr_stamp *s = cspr_alloc(sizeof *s);
    s->refs = 1;
    s->who = who;
    s->id = c->own;
    s->at = c->own_at;
    copy(&s->known, &c->known);
    return s;
}

// A stamp of nobody's with what s knows.
static cspr_stamp *accumulate(const cspr_stamp *s)
{
    cspr_stamp *sum = cspr_alloc(sizeof *sum);
    sum->refs = 1;
    sum->id = CSPR_NO_ID;
    copy(&sum->known, &s->known);
    if (is_named(s))
        raise(&sum->known, s->id, s->at, NOBODY);
    return sum;
}

static cspr_stamp *merge_known(cspr_stamp *a, cspr_stamp *b)
{
    if (!a)
        return cspr_stamp_ref(b);
    if (!b || a == b || (is_named(b) && stamp_get(a, b->id) >= b->at))
        return a;
    if (is_named(a) && stamp_get(b, a->id) >= a->at) {
        cspr_stamp_unref(a);
        return cspr_stamp_ref(b);
    }
    // Acquire, E1: ours alone, it is written in place.
    if (is_named(a) || __atomic_load_n(&a->refs, __ATOMIC_ACQUIRE) > 1) {
        cspr_stamp *sum = accumulate(a);
        cspr_stamp_unref(a);
        a = sum;
    }
    cspr_knower self = {&a->known, CSPR_NO_ID, 0, false};
    join(&a->known, &self, b, NOBODY);
    return a;
}

// Both have something to say of `order`, or one: what comes out of it may be another stamp than what is known is.
CSPR_NOINLINE static cspr_stamp *merge_slow(cspr_stamp *a, cspr_stamp *b)
{
    cspr_stamp *order = merge_known(cspr_stamp_ref(a ? a->order : NULL), b ? b->order : NULL);
    cspr_stamp *sum = merge_known(a, b);
    if (sum->order == order) {
        cspr_stamp_unref(order);
        return sum;
    }
    if (is_named(sum) || __atomic_load_n(&sum->refs, __ATOMIC_ACQUIRE) > 1) { // E1, as above
        cspr_stamp *other = accumulate(sum);
        cspr_stamp_unref(sum);
        sum = other;
    }
    cspr_stamp_unref(sum->order);
    sum->order = order;
    return sum;
}

cspr_stamp *cspr_stamp_merge(cspr_stamp *a, cspr_stamp *b)
{
    if (CSPR_UNLIKELY((a && a->order) || (b && b->order)))
        return merge_slow(a, b);
    return merge_known(a, b);
}

uint64_t cspr_stamp_get(const cspr_stamp *s, uint32_t id)
{
    return s ? stamp_get(s, id) : 0;
}

cspr_stamp *cspr_stamp_named(const cspr_stamp *base, uint32_t id, uint64_t at)
{
    static const cspr_stamp nothing = {.id = CSPR_NO_ID};
    cspr_stamp *s = accumulate(base ? base : &nothing);
    s->id = id;
    s->at = at;
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
    if (!s)
        return;
    // E1. The only reference is ours: nobody can take another one meanwhile, and no locked instruction is needed.
    if (__atomic_load_n(&s->refs, __ATOMIC_ACQUIRE) != 1 && __atomic_fetch_sub(&s->refs, 1, __ATOMIC_ACQ_REL) != 1)
        return;
    cspr_stamp_unref(s->order);
    forget(&s->known);
    cspr_free(s, sizeof *s);
}
