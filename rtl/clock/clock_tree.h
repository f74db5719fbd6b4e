// clock_tree.h - the shared trees of clocks: copy on write, joined by pointer where they are the same.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_RTL_CLOCK_TREE_H
#define CSP_RTL_CLOCK_TREE_H

#include "clock/clock.h"

cspr_tree *cspr_tree_ref(cspr_tree *t); // NULL stays NULL
void cspr_tree_unref(cspr_tree *t);
// *t, a reference of the caller's, becomes a tree that has `at` for id and is otherwise the same.
void cspr_tree_put(cspr_tree **t, uint32_t id, uint64_t at);
// *a, a reference of the caller's, becomes the join of both; true when that changed it.
bool cspr_tree_join(cspr_tree **a, cspr_tree *b);
// Everything in b is in a.
bool cspr_tree_covers(const cspr_tree *a, const cspr_tree *b);

#endif
