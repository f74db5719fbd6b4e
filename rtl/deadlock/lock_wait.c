// lock_wait.c - tasks that wait for a lock while they hold others, to see a cycle close; locks whose holder has ended.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Who holds nothing cannot be part of a cycle of locks, so waits that are not nested cost one compare.
#include "deadlock/lock_wait.h"

#include <string.h>

static cspr_lock lock;
static bool find_handed(const void *obj);
// --- under lock
static cspr_lock_waiting waits[CSPR_MAX_LOCK_WAITS]; // task->lock_wait is the position + 1
static uint32_t n_waits;
static uint8_t visited[CSPR_MAX_LOCK_WAITS];

// Held in a way that keeps out who waits in this mode. The held list belongs to a task that stands still.
static const cspr_held *find_held(const cspr_task *t, const void *obj, int mode)
{
    for (uint32_t i = 0; i < t->n_held; i++)
        if (t->held[i].lock == obj && (mode == CSP_LOCK_WRITE || t->held[i].mode == CSP_LOCK_WRITE))
            return &t->held[i];
    return NULL;
}

// Who waits last is waits[last]; out->of holds the way from it to the one that waits for `obj`.
static bool find_cycle(uint32_t last, const void *obj, int mode, cspr_lock_cycle *out)
{
    for (uint32_t i = 0; i < n_waits; i++) {
        const cspr_held *held = visited[i] ? NULL : find_held(waits[i].task, obj, mode);
        if (!held || (cspr_locks_handed && find_handed(held->lock)))
            continue;
        out->of[out->n - 1].held = *held;
        if (i == last)
            return true;
        visited[i] = 1;
        if (out->n == CSPR_MAX_LOCK_CYCLE)
            continue;
        out->of[out->n++] = waits[i];
        if (find_cycle(last, waits[i].lock, waits[i].mode, out))
            return true;
        out->n--;
    }
    return false;
}

bool cspr_lock_wait_begin(cspr_task *t, const void *obj, int mode, cspr_stack stack, cspr_lock_cycle *out)
{
    bool found = false;
    out->n = 0;
    cspr_enter();
    cspr_lock_acquire(&lock);
    if (n_waits < CSPR_MAX_LOCK_WAITS && !t->lock_wait) {
        waits[n_waits] = (cspr_lock_waiting){.task = t, .who = t->who, .lock = obj, .mode = mode, .stack = stack};
        t->lock_wait = ++n_waits;
        memset(visited, 0, n_waits);
        out->of[out->n++] = waits[n_waits - 1];
        found = find_cycle(n_waits - 1, obj, mode, out);
    }
    cspr_lock_release(&lock);
    cspr_leave();
    return found;
}

void cspr_lock_wait_end_slow(cspr_task *t)
{
    cspr_enter();
    cspr_lock_acquire(&lock);
    uint32_t at = t->lock_wait - 1;
    waits[at] = waits[--n_waits];
    waits[at].task->lock_wait = at + 1;
    t->lock_wait = 0;
    cspr_lock_release(&lock);
    cspr_leave();
}

// --- locks whose holder has ended -------------------------------------------------------------------------------------------------

typedef struct abandoned {
    cspr_who who;
    cspr_held held;
} abandoned;

enum { MAX_ABANDONED = 1024 };
static abandoned left[MAX_ABANDONED]; // under lock; the oldest make room
static uint32_t n_left;               // how many ever

void cspr_locks_abandon(const cspr_task *t)
{
    cspr_lock_acquire(&lock);
    for (uint32_t i = 0; i < t->n_held; i++)
        left[n_left++ % MAX_ABANDONED] = (abandoned){t->who, t->held[i]};
    cspr_lock_release(&lock);
}

static abandoned *find_left(const void *obj)
{
    for (uint32_t i = 0; i < n_left && i < MAX_ABANDONED; i++)
        if (left[i].held.lock == obj)
            return &left[i];
    return NULL;
}

enum { MAX_HANDED = 1024 };
static const void *handed[MAX_HANDED]; // under lock; the oldest make room
uint32_t cspr_locks_handed;

static bool find_handed(const void *obj)
{
    for (uint32_t i = 0; i < cspr_locks_handed && i < MAX_HANDED; i++)
        if (handed[i] == obj)
            return true;
    return false;
}

void cspr_lock_hand(const void *obj)
{
    cspr_lock_acquire(&lock);
    abandoned *a = find_left(obj);
    if (a)
        *a = (abandoned){0};
    if (!find_handed(obj)) {
        handed[cspr_locks_handed % MAX_HANDED] = obj;
        __atomic_store_n(&cspr_locks_handed, cspr_locks_handed + 1, __ATOMIC_RELAXED); // relaxed: a hint
    }
    cspr_lock_release(&lock);
}

bool cspr_lock_is_handed_slow(const void *obj)
{
    cspr_lock_acquire(&lock);
    bool found = find_handed(obj);
    cspr_lock_release(&lock);
    return found;
}

bool cspr_lock_abandoned(const void *obj, cspr_who *who, cspr_held *held)
{
    cspr_lock_acquire(&lock);
    const abandoned *a = find_left(obj);
    if (a) {
        *who = a->who;
        *held = a->held;
    }
    cspr_lock_release(&lock);
    return a != NULL;
}

void cspr_lock_wait_fork_lock(bool take)
{
    cspr_lock_for_fork(&lock, take);
}
