// held.c - the locks that a task holds, for reports and stacks; sync.c takes and gives them.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "shadow/depot.h"
#include "task/task.h"

size_t cspr_task_held(const cspr_task *t, cspr_held *out, size_t max)
{
    size_t n = t->n_held < max ? t->n_held : max;
    for (size_t i = 0; i < n; i++)
        out[i] = t->held[t->n_held - n + i];
    return n;
}

bool cspr_task_holds(const cspr_task *t, const void *lock, int mode)
{
    for (uint32_t i = t->n_held; i-- > 0;)
        if (t->held[i].lock == lock && t->held[i].mode == mode)
            return true;
    return false;
}

static bool is_same_lock(const cspr_held *a, const cspr_held *b)
{
    return a->lock == b->lock && a->mode == b->mode && a->stack == b->stack;
}

uint32_t cspr_task_find_locks(cspr_task *t)
{
    t->lock_set = 0;
    if (t->n_held == 1) { // mostly, and mostly the same one
        if (!t->one_lock_set || !is_same_lock(&t->one_held, &t->held[0])) {
            t->one_held = t->held[0];
            t->one_lock_set = cspr_depot_lock_set(0, &t->held[0]);
        }
        return t->lock_set = t->one_lock_set;
    }
    for (uint32_t i = 0; i < t->n_held; i++)
        t->lock_set = cspr_depot_lock_set(t->lock_set, &t->held[i]);
    return t->lock_set;
}
