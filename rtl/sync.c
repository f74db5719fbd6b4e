// sync.c - order through objects named by their address: locks, wait groups, whatever a hook or interceptor names.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A release ends the task's epoch (rule A9); an acquire never does.
#include "sync.h"

#include "access.h"
#include "alloc.h"
#include "lock_wait.h"
#include "shadow.h"

static uintptr_t word_of(const void *obj)
{
    return (uintptr_t)obj & ~(uintptr_t)7;
}

// References to the object's clocks.
static void read_sync(const void *obj, cspr_stamp **clock, cspr_stamp **readers)
{
    *clock = *readers = NULL;
    if (!cspr_sync_may_be(obj))
        return;
    uint64_t *cells = cspr_shadow_of((uintptr_t)obj);
    uint64_t w = cspr_word_take(cells);
    if (cspr_cell_is_aside(w)) {
        cspr_sync *s = cspr_record_sync(cspr_record_of(w), (uintptr_t)obj, false);
        if (s) {
            *clock = cspr_stamp_ref(s->clock);
            *readers = cspr_stamp_ref(s->readers);
        }
    }
    cspr_word_give(cells, cspr_word_read_cell(cells, w), w);
}

typedef enum change { SET_CLOCK, MERGE_CLOCK, MERGE_READERS } change;

// Changes the object's clocks by a stamp whose reference it takes over.
static void write_sync(const void *obj, cspr_stamp *stamp, change how)
{
    cspr_stamp *old = NULL, *old_readers = NULL;
    uint64_t *cells = cspr_shadow_of((uintptr_t)obj);
    uint64_t w = cspr_word_take(cells);
    cspr_record *rec = cspr_word_record(word_of(obj), cells, w);
    cspr_sync *s = cspr_record_sync(rec, (uintptr_t)obj, true);
    if (how == SET_CLOCK) {
        old = s->clock;
        old_readers = s->readers;
        s->clock = stamp;
        s->readers = NULL;
    } else {
        cspr_stamp **slot = how == MERGE_CLOCK ? &s->clock : &s->readers;
        *slot = cspr_stamp_merge(*slot, stamp);
        old = stamp;
    }
    s->rmw = CSPR_SEVERAL;
    cspr_word_give(cells, cspr_record_cell(rec), cspr_record_cell(rec));
    cspr_stamp_unref(old);
    cspr_stamp_unref(old_readers);
}

static void acquire(const void *obj, cspr_task *t, bool readers_too)
{
    if (t->ignored[CSPR_IGNORE_SYNC])
        return;
    cspr_stamp *clock, *readers;
    cspr_enter();
    read_sync(obj, &clock, &readers);
    cspr_task_learn(t, clock);
    if (readers_too)
        cspr_task_learn(t, readers);
    cspr_stamp_unref(clock);
    cspr_stamp_unref(readers);
    cspr_leave();
}

static void release(const void *obj, cspr_task *t, change how, uintptr_t by)
{
    if (t->ignored[CSPR_IGNORE_SYNC])
        return;
    cspr_enter();
    write_sync(obj, cspr_task_publish(t, by, NULL), how);
    cspr_leave();
}

void cspr_acquire(const void *obj, cspr_task *t)
{
    if ((t = cspr_task_meant(t)) != NULL)
        acquire(obj, t, true);
}

void cspr_release(const void *obj, cspr_task *t)
{
    if ((t = cspr_task_meant(t)) != NULL)
        release(obj, t, SET_CLOCK, CSPR_BY_CALL);
}

void cspr_release_by(const void *obj, cspr_task *t, uintptr_t by)
{
    if ((t = cspr_task_meant(t)) != NULL)
        release(obj, t, SET_CLOCK, by);
}

void cspr_release_merge_by(const void *obj, cspr_task *t, uintptr_t by)
{
    if ((t = cspr_task_meant(t)) != NULL)
        release(obj, t, MERGE_CLOCK, by);
}

void cspr_release_merge(const void *obj, cspr_task *t)
{
    if ((t = cspr_task_meant(t)) != NULL)
        release(obj, t, MERGE_CLOCK, CSPR_BY_CALL);
}

void cspr_sync_reset(const void *obj)
{
    if (!cspr_sync_may_be(obj))
        return;
    cspr_enter();
    uint64_t *cells = cspr_shadow_of((uintptr_t)obj);
    uint64_t w = cspr_word_take(cells), r = cspr_word_read_cell(cells, w);
    if (cspr_cell_is_aside(w)) {
        cspr_sync *s = cspr_record_sync(cspr_record_of(w), (uintptr_t)obj, false);
        if (s)
            cspr_sync_clear(s);
    }
    cspr_word_give(cells, r, w);
    cspr_leave();
}

// --- locks ------------------------------------------------------------------------------------------------------------------

static void add_held(cspr_task *t, const void *lock, int mode, cspr_stack stack)
{
    if (!t->held)
        t->held = cspr_alloc(CSPR_MAX_HELD * sizeof *t->held);
    if (t->n_held < CSPR_MAX_HELD) // reports of a task with more name the first ones
        t->held[t->n_held++] = (cspr_held){lock, mode, stack};
    t->lock_set = 0;
}

static void remove_held(cspr_task *t, const void *lock, int mode)
{
    for (uint32_t i = t->n_held; i-- > 0;) {
        if (t->held[i].lock != lock || t->held[i].mode != mode)
            continue;
        for (t->n_held--; i < t->n_held; i++)
            t->held[i] = t->held[i + 1];
        t->lock_set = 0;
        return;
    }
    if (t->n_held < CSPR_MAX_HELD) // else it may be one that found no room
        cspr_lock_hand(lock);
}

void cspr_locked(const void *lock, int mode, cspr_task *t, cspr_stack stack)
{
    if (!(t = cspr_task_meant(t)))
        return;
    cspr_enter();
    cspr_lock_wait_end(t);
    acquire(lock, t, mode == CSP_LOCK_WRITE);
    add_held(t, lock, mode, stack);
    cspr_leave();
}

void cspr_unlocking(const void *lock, int mode, cspr_task *t)
{
    if (!(t = cspr_task_meant(t)))
        return;
    release(lock, t, mode == CSP_LOCK_WRITE ? SET_CLOCK : MERGE_READERS, CSPR_BY_UNLOCK);
    remove_held(t, lock, mode);
}
