// clock_tree.h - the shared trees of clocks: copy on write, joined by pointer where one side knows the other's node.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_RTL_CLOCK_TREE_H
#define CSP_RTL_CLOCK_TREE_H

#include "clock/clock.h"

// All that a clock or stamp knows, for asking.
typedef struct cspr_knower {
    const cspr_known *known;
    uint32_t id; // (id, at): its own component; CSPR_NO_ID: none
    uint64_t at;
    bool is_spent; // once joined, its tree is dropped unread: nodes that nobody else holds may be taken out of it
} cspr_knower;

cspr_tree *cspr_tree_ref(cspr_tree *t); // NULL stays NULL
void cspr_tree_unref(cspr_tree *t);
// *t, a reference of the caller's, becomes a tree that has `at` for id and is otherwise the same. by: of nodes that change.
void cspr_tree_put(cspr_tree **t, uint32_t id, uint64_t at, cspr_name by);
// What comes of telling a tree that is not to be copied.
typedef enum { CSPR_TREE_KNEW, CSPR_TREE_WRITTEN, CSPR_TREE_SHARED } cspr_tree_told;
// t (NULL: nothing), a reference of the caller's, gets `at` for id where it has less, if it is nobody else's that far down.
cspr_tree_told cspr_tree_tell(cspr_tree *t, uint32_t id, uint64_t at, cspr_name by);
// *slot, a's tree, becomes one with which a knows all of b's tree too, once it has what else b knows: newer values, and b's
// own component. True when that changed it. by: of nodes that change.
bool cspr_tree_join(cspr_tree **slot, const cspr_knower *a, const cspr_knower *b, cspr_name by);

// Nobody else holds t: it may be written by its holder, unless that is a node that somebody else holds.
static inline bool cspr_tree_is_ours(const cspr_tree *t)
{
    return __atomic_load_n(&t->refs, __ATOMIC_ACQUIRE) == 1; // acquire, clock_tree.c's E1: the others' reads are over
}

static inline uint64_t cspr_knower_get(const cspr_knower *k, uint32_t id)
{
    return id == k->id ? k->at : cspr_known_get(k->known, id);
}
static inline bool cspr_tree_has_name(const cspr_tree *t)
{
    return t->name.id != CSPR_NO_ID;
}
static inline bool cspr_knows_node(const cspr_knower *k, const cspr_tree *t)
{
    return cspr_tree_has_name(t) && cspr_knower_get(k, t->name.id) >= t->name.at; // J4
}

#endif
