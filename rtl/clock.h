// clock.h - vector clocks: for each logical id, how much of it happened before now.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A clock is a row of 64-entry leaves. Leaves are shared between clocks and written only while one clock alone holds them,
// so copying costs a pointer per 64 ids, and joining what is already the same costs a compare. The owner's own component
// changes with every epoch and is kept beside the leaves.
//
//   clock   a task's: changes, used by its task (or, while it is parked, by whoever holds the lock that keeps it so).
//   stamp   published: never changes, counted references, may be joined by anybody.
#ifndef CSP_RTL_CLOCK_H
#define CSP_RTL_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

enum { CSPR_LEAF_IDS = 64 };
#define CSPR_NO_ID UINT32_MAX // an accumulated stamp or scratch clock: no component of its own

typedef struct cspr_leaf {
    uint32_t refs; // atomic
    uint64_t at[CSPR_LEAF_IDS];
} cspr_leaf;

typedef struct cspr_clock {
    uint32_t own;    // own id; its value in the leaves is stale, own_at counts
    uint32_t n, cap; // leaves used, room in leaf
    uint64_t own_at;
    cspr_leaf **leaf; // entries may be NULL: all zero
    cspr_leaf *first; // the row of one, for up to 64 ids
} cspr_clock;

typedef struct cspr_stamp {
    uint32_t refs; // atomic
    uint32_t who;  // incarnation that published it, 0: accumulated from several
    uint32_t id;   // (id, at): the publisher's own component
    uint32_t n;
    uint64_t at;
    cspr_leaf *leaf[];
} cspr_stamp;

void cspr_clock_init(cspr_clock *c, uint32_t own, uint64_t own_at);
void cspr_clock_fini(cspr_clock *c);
// How much of `id` the clock knows.
static inline uint64_t cspr_clock_get(const cspr_clock *c, uint32_t id)
{
    if (id == c->own)
        return c->own_at;
    uint32_t i = id / CSPR_LEAF_IDS;
    return i < c->n && c->leaf[i] ? c->leaf[i]->at[id % CSPR_LEAF_IDS] : 0;
}
// c[id] := max(c[id], at); true when that changed c.
bool cspr_clock_raise(cspr_clock *c, uint32_t id, uint64_t at);
// c joins s (NULL: nothing); true when that changed c.
bool cspr_clock_join(cspr_clock *c, const cspr_stamp *s);
// Everything in s is known to c.
bool cspr_clock_covers(const cspr_clock *c, const cspr_stamp *s);

// What c knows now; one reference, the caller's.
cspr_stamp *cspr_stamp_of(const cspr_clock *c, uint32_t who);
// The join of both as a new reference; takes over the caller's reference to a. Either may be NULL.
cspr_stamp *cspr_stamp_merge(cspr_stamp *a, cspr_stamp *b);
cspr_stamp *cspr_stamp_ref(cspr_stamp *s); // NULL stays NULL
void cspr_stamp_unref(cspr_stamp *s);

#endif
