// strategy_urw.c - each task as likely as it has operations left.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Why that is uniform: of all orders of independent sequences with a, b, ... operations, the share a/(a+b+...) begins with the
// first one's. A task's children come after the operation that creates them, so until then they are part of its sequence.
#include "control/strategy_state.h"

#include "control/profile.h"

void cspr_strategy_urw_created(cspr_strategy_task *t, cspr_strategy_task *creator)
{
    t->left = (int64_t)cspr_profile_subtree(t->key);
    if (creator)
        creator->left -= t->left;
}

// One that does more than the trial run has seen is as likely as one with a single operation left.
static uint64_t weight_of(const cspr_candidate *c)
{
    int64_t left = cspr_strategy_task_of(c)->left;
    return left > 0 ? (uint64_t)left : 1;
}

uint32_t cspr_strategy_urw_choose(const cspr_candidate *c, uint32_t n)
{
    uint64_t total = 0;
    for (uint32_t i = 0; i < n; i++)
        total += weight_of(&c[i]);
    uint64_t at = csp_random_below(&cspr_strategy.random, total);
    for (uint32_t i = 0;; i++) {
        uint64_t weight = weight_of(&c[i]);
        if (at < weight)
            return i;
        at -= weight;
    }
}
