// clock.h - vector clocks: for each logical id, how much of it happened before now.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// With a million coroutines a clock can neither be a row (8 MB each) nor be walked by every operation. So what a clock knows
// of the others is a tree, shared between all that know the same, and up to eight newer values beside it. What is known of
// the first task stays there: where tasks hand on in the order of their making, news of it come from the other end, and a
// leaf with both would be mixed at each meeting. Most joins are decided without looking at the trees at all:
//   J1  A published stamp has a name, (id, at), that no other one has: publishing twice without an epoch between moves the
//       clock on. Who knows id@at therefore knows all of the stamp; joining it is nothing.
//   J2  A clock remembers the name of a stamp that covers what it knows (its own last one, or the one it took over). A stamp
//       that knows that name covers the clock, which then takes over the stamp's knowledge instead of joining it.
//   J3  A tree remembers one that is part of it (`within`), which settles joining what both descend from.
// What is left is joined node by node, most of which are decided without looking at their values:
//   J4  Whoever changes a node for clock c names it (c's id, the least value that c has not published yet). Nobody else knows
//       as much of c before c publishes, and what c then publishes has the node's values, since a clock never forgets. Who
//       knows a node's name therefore knows all of the node, though perhaps not in its own tree: newer values beside the tree
//       and a clock's own component count. Who holds a node knows its name, since it came from one who did. A node that a
//       stamp of nobody's changes has no name and is compared by value.
//       When an id is used again, its clock goes on from the value that its last owner ended with (task.c, B1): names that
//       the owner promised and never published end with its clock, the only one to have had nodes under them.
//
//   clock   a task's: changes, used by its task (or, while it is parked, by whoever holds the lock that keeps it so).
//   stamp   published: never changes, counted references, may be joined by anybody.
#ifndef CSP_RTL_CLOCK_H
#define CSP_RTL_CLOCK_H

#include <emmintrin.h>
#include <stdbool.h>
#include <stdint.h>

#define CSPR_NO_ID UINT32_MAX // an accumulated stamp or a clock without a task: no component of its own

enum {
    CSPR_LEAF_BITS = 6, // ids of a leaf
    CSPR_FAN_BITS = 3,  // children of an inner node
    CSPR_RECENT = 8,    // as many as are compared at once
    CSPR_FIRST_ID = 1,  // the first task's, which everybody hears of from another side than of the ids beside it
};

// Who knows id@at knows all of what has this name; CSPR_NO_ID: no name.
typedef struct cspr_name {
    uint32_t id;
    uint64_t at;
} cspr_name;

// Covers the ids below 64 * 8^height; never empty.
typedef struct cspr_tree {
    uint32_t refs; // atomic; above 1 the node is not written any more
    uint32_t height;
    cspr_name name; // J4
    union {
        uint64_t at[1 << CSPR_LEAF_BITS];            // height 0
        struct cspr_tree *child[1 << CSPR_FAN_BITS]; // else; NULL: all zero
    };
} cspr_tree;

// What is known of ids.
typedef struct cspr_known {
    cspr_tree *tree;   // NULL: nothing
    cspr_tree *within; // without a name, and all of it is known; NULL: none noted (J3)
    uint32_t n;
    uint32_t id[CSPR_RECENT];
    uint64_t at[CSPR_RECENT]; // newer than what the tree has of id; CSPR_FIRST_ID is never in the tree
} cspr_known;

typedef struct cspr_clock {
    uint32_t own;        // own id; what is known of it is stale, own_at counts
    uint32_t covered_id; // J2: whoever knows covered_id@covered_at knows all of `known`; CSPR_NO_ID: nobody is known to
    uint64_t own_at;     // the task's present epoch
    uint64_t published_at; // the last one published: J1
    uint64_t covered_at;
    cspr_known known;
} cspr_clock;

typedef struct cspr_stamp {
    uint32_t refs; // atomic
    uint32_t who;  // incarnation that published it, 0: accumulated from several
    uint32_t id;   // (id, at): its name, and the publisher's own component
    uint64_t at;
    struct cspr_stamp *order; // lock_order.h: what is known without the order that locks give; NULL: nothing
    cspr_known known;
} cspr_stamp;

static inline uint64_t cspr_tree_get(const cspr_tree *t, uint32_t id)
{
    if (!t || (uint64_t)id >> (CSPR_LEAF_BITS + CSPR_FAN_BITS * t->height))
        return 0;
    while (t && t->height)
        t = t->child[id >> (CSPR_LEAF_BITS + CSPR_FAN_BITS * (t->height - 1)) & ((1 << CSPR_FAN_BITS) - 1)];
    return t ? t->at[id & ((1 << CSPR_LEAF_BITS) - 1)] : 0;
}

// Where id is among the recent values; k->n: not there. All at once: a loop's end would be guessed wrong most of the time.
static inline uint32_t cspr_recent_place(const cspr_known *k, uint32_t id)
{
    const __m128i wanted = _mm_set1_epi32((int)id);
    __m128i low = _mm_cmpeq_epi32(_mm_loadu_si128((const __m128i *)k->id), wanted);
    __m128i high = _mm_cmpeq_epi32(_mm_loadu_si128((const __m128i *)(k->id + 4)), wanted);
    __m128i all = _mm_packs_epi16(_mm_packs_epi32(low, high), _mm_setzero_si128());
    uint32_t found = (uint32_t)_mm_movemask_epi8(all) | 1u << k->n;
    return (uint32_t)__builtin_ctz(found);
}

static inline uint64_t cspr_known_get(const cspr_known *k, uint32_t id)
{
    uint32_t i = cspr_recent_place(k, id);
    return i < k->n ? k->at[i] : cspr_tree_get(k->tree, id);
}

// How much of `id` the clock knows.
static inline uint64_t cspr_clock_get(const cspr_clock *c, uint32_t id)
{
    return id == c->own ? c->own_at : cspr_known_get(&c->known, id);
}

void cspr_clock_init(cspr_clock *c, uint32_t own, uint64_t own_at);
void cspr_clock_fini(cspr_clock *c);
// A clock made without a task gets its component.
void cspr_clock_set_own(cspr_clock *c, uint32_t own, uint64_t own_at);
// c joins s (NULL: nothing); true when that may have changed c.
bool cspr_clock_join(cspr_clock *c, const cspr_stamp *s);
// Both learn all that the other knows, as if each joined what the other publishes; what is joined is joined once, and shared.
void cspr_clock_meet(cspr_clock *a, cspr_clock *b);
// Everything in s is known to c.
bool cspr_clock_covers(const cspr_clock *c, const cspr_stamp *s);

// What c knows now, with a name of its own, for which own_at may move on (J1); one reference, the caller's.
cspr_stamp *cspr_clock_publish(cspr_clock *c, uint32_t who);
// How much of `id` s (NULL: nothing) knows.
uint64_t cspr_stamp_get(const cspr_stamp *s, uint32_t id);
// What base (NULL: nothing) knows, under the name (id, at), which nothing else has; one reference.
cspr_stamp *cspr_stamp_named(const cspr_stamp *base, uint32_t id, uint64_t at);
// The join of both as a new reference; takes over the caller's reference to a. Either may be NULL.
cspr_stamp *cspr_stamp_merge(cspr_stamp *a, cspr_stamp *b);
cspr_stamp *cspr_stamp_ref(cspr_stamp *s); // NULL stays NULL
void cspr_stamp_unref(cspr_stamp *s);

#endif
