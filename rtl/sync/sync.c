// sync.c - order through objects named by their address: locks, wait groups, whatever a hook or interceptor names.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A release ends the task's epoch (rule A9); an acquire never does.
#include "sync/sync.h"

#include "deadlock/lock_order.h"
#include "deadlock/lock_wait.h"
#include "shadow/access.h"
#include "shadow/shadow.h"
#include "support/alloc.h"

static uintptr_t word_of(const void *obj)
{
    return (uintptr_t)obj & ~(uintptr_t)7;
}

// --- coming back --------------------------------------------------------------------------------------------------------------
// A release ends the epoch since whoever acquires it knows all of that epoch. A task that locks again what it unlocked, when
// nobody has acquired that unlock and it released nothing else meanwhile, goes on with the epoch it had: its next unlock covers
// both stretches, and as it holds the lock nobody can acquire the earlier one any more. So whoever will know the epoch knows all
// of it, which is all that A10 needs. What was recorded between the two is an epoch of its own, and is published together with
// the other. For read locks the same: their unlocks are acquired by writers only, which the reader keeps out.
// That is true of locks that exclude, so the program's own (annotations) do not take part, nor do those that were once unlocked by
// another task than their holder. (When that happens first, while its holder's epoch goes on, what the holder does afterwards
// without the lock may be taken for ordered.) Everything that acquires a clock of
// the object sets its turn to 0.
// The quick way, for writers: while the turn is still that of t's last release, nobody has touched the object since; its clock is
// what t published then, which covers the epoch that goes on. If t then learns nothing and opens no other epoch until it unlocks
// (its stamp is still that one), the clock is what t would publish now: neither taking nor unlocking has anything to change, and
// neither takes the word. Whoever has the lock in between, even for a moment, takes the word and sets the turn.
// Ordering:  Q1 whoever changes the turn holds the lock and unlocks it -> t takes the lock and reads the turn: the lock's own order.
//            Without that - the lock's memory freed or made anew meanwhile - the program itself is wrong, or ordered by other
//            means; a block that was given back is readable and zero but for its link (alloc.c I1), so the turn does not fit.

typedef enum who_acquires { ANYBODY, WRITER, READER } who_acquires;

static uint64_t take_turn(cspr_sync *s, who_acquires how)
{
    uint64_t turn = how == WRITER ? s->turn : how == READER ? s->readers_turn : 0;
    cspr_sync_set_turn(s, 0);
    if (how != READER)
        s->readers_turn = 0;
    return turn;
}

// Nobody has touched the object since t released it.
static bool is_untouched(const cspr_task *t, const void *obj)
{
    const cspr_resume *r = &t->resume;
    return r->sync && r->published == t->published && t == cspr_self.task &&
           __atomic_load_n(&r->sync->addr, __ATOMIC_RELAXED) == (uintptr_t)obj && // relaxed, both: Q1
           __atomic_load_n(&r->sync->turn, __ATOMIC_RELAXED) == r->turn;
}

// A reference to what t will learn: the clock outlives the object's having it. What would be no news to a lock's taker needs
// none, which spares who comes back to a lock two locked instructions; what ANYBODY learns may be order too (lock_order.h).
static cspr_stamp *take_clock(cspr_stamp *s, const cspr_task *t, who_acquires how)
{
    return how == ANYBODY || cspr_task_is_news(t, s) ? cspr_stamp_ref(s) : NULL;
}

// References to the object's clocks, as far as t wants them; the turn of the release that is acquired.
static uint64_t read_sync(const void *obj, const cspr_task *t, who_acquires how, cspr_stamp **clock,
                          cspr_stamp **readers)
{
    uint64_t turn = 0;
    *clock = *readers = NULL;
    if (!cspr_sync_may_be(obj))
        return 0;
    uint64_t *cells = cspr_shadow_of((uintptr_t)obj);
    uint64_t w = cspr_word_take(cells);
    if (cspr_cell_is_aside(w)) {
        cspr_sync *s = cspr_record_sync(cspr_record_of(w), (uintptr_t)obj, false);
        if (s) {
            *clock = take_clock(s->clock, t, how);
            *readers = how == READER ? NULL : take_clock(s->readers, t, how);
            turn = take_turn(s, how);
        }
    }
    cspr_word_give(cells, cspr_word_read_cell(cells, w), w);
    return turn;
}

typedef enum change { SET_CLOCK, MERGE_CLOCK, MERGE_READERS } change;

// Changes the object's clocks by a stamp. *turn: of a lock's release, else 0; becomes the one that counts for it now.
static const cspr_sync *write_sync(const void *obj, cspr_stamp *stamp, change how, uint64_t *turn)
{
    cspr_stamp *old = NULL, *old_readers = NULL;
    uint64_t *cells = cspr_shadow_of((uintptr_t)obj);
    uint64_t w = cspr_word_take(cells);
    cspr_record *rec = cspr_word_record(word_of(obj), cells, w);
    cspr_sync *s = cspr_record_sync(rec, (uintptr_t)obj, true);
    if (how == SET_CLOCK) {
        if (s->clock != stamp) { // else its releaser has come back, and nothing new to say
            old = s->clock;
            s->clock = cspr_task_share(stamp);
        }
        old_readers = s->readers;
        s->readers = NULL;
        cspr_sync_set_turn(s, *turn);
        s->readers_turn = 0;
    } else {
        cspr_stamp **slot = how == MERGE_CLOCK ? &s->clock : &s->readers;
        *slot = cspr_stamp_merge(*slot, stamp);
        cspr_sync_set_turn(s, 0); // also for readers: their taking may have been ignored
        if (how == MERGE_READERS && s->readers_turn)
            *turn = s->readers_turn;
        else if (how == MERGE_READERS)
            s->readers_turn = *turn;
    }
    s->rmw = CSPR_SEVERAL;
    cspr_word_give(cells, cspr_record_cell(rec), cspr_record_cell(rec));
    cspr_stamp_unref(old);
    cspr_stamp_unref(old_readers);
    return s;
}

static void acquire(const void *obj, cspr_task *t, who_acquires how)
{
    void (*learn)(cspr_task *, cspr_stamp *) = how == ANYBODY ? cspr_task_learn_given : cspr_task_learn_given_from_lock;
    if (t->ignored[CSPR_IGNORE_SYNC])
        return;
    cspr_stamp *clock, *readers;
    cspr_enter();
    if (how == WRITER && t->resume.lock == obj && is_untouched(t, obj)) {
        cspr_task_resume(t);
        cspr_leave();
        return;
    }
    uint64_t turn = read_sync(obj, t, how, &clock, &readers);
    learn(t, clock);
    learn(t, readers);
    if (turn && t->resume.lock == obj && t->resume.turn == turn && t->resume.published == t->published &&
        t == cspr_self.task)
        cspr_task_resume(t);
    cspr_leave();
}

static void release(const void *obj, cspr_task *t, change how, uintptr_t by)
{
    if (t->ignored[CSPR_IGNORE_SYNC])
        return;
    uint64_t no_turn = 0;
    cspr_enter();
    write_sync(obj, cspr_task_release(t, by, NULL), how, &no_turn);
    cspr_leave();
}

// The end of a stretch that began the quick way (else its taking has set the turn) and brought nothing new.
static bool rests(cspr_task *t, const void *lock)
{
    if (t->stamp != t->resume.stamp || !is_untouched(t, lock))
        return false;
    cspr_task_rest(t, CSPR_BY_UNLOCK);
    t->resume.lock = lock;
    return true;
}

// Who holds the lock for writing knows what its clock knows. Who does not adds to it: unlock n comes before lock m > n, whoever
// unlocked in between.
static void release_lock(const void *lock, cspr_task *t, int mode, bool is_holder)
{
    cspr_enter();
    if (t->ignored[CSPR_IGNORE_SYNC]) {
        cspr_task_rest(t, CSPR_BY_UNLOCK); // the lock's clock may have the epoch from before it went on: no more of it
        cspr_leave();
        return;
    }
    change how = mode != CSP_LOCK_WRITE ? MERGE_READERS : is_holder ? SET_CLOCK : MERGE_CLOCK;
    if (how != SET_CLOCK || !rests(t, lock)) {
        cspr_resume r = {.at = t->at, .epoch = t->open ? t->epoch : 0};
        cspr_stamp *stamp = cspr_task_release(t, CSPR_BY_UNLOCK, NULL);
        r.turn = (uint64_t)t->who << 32 | (uint32_t)t->published;
        const cspr_sync *s = write_sync(lock, stamp, how, &r.turn);
        r.published = t->published;
        bool goes_on = r.epoch && how != MERGE_CLOCK && cspr_flags.resume_epochs && !cspr_lock_is_handed(lock);
        r.lock = goes_on ? lock : NULL;
        r.sync = r.lock && how == SET_CLOCK ? s : NULL;
        r.stamp = stamp;
        t->resume = r;
    }
    cspr_leave();
}

void cspr_acquire(const void *obj, cspr_task *t)
{
    if ((t = cspr_task_meant(t)) != NULL)
        acquire(obj, t, ANYBODY);
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
        t->held[t->n_held++] = (cspr_held){.lock = lock, .mode = mode, .stack = stack};
    t->lock_set = 0;
}

// False: t is not known to hold it.
static bool remove_held(cspr_task *t, const void *lock, int mode)
{
    for (uint32_t i = t->n_held; i-- > 0;) {
        if (t->held[i].lock != lock || t->held[i].mode != mode)
            continue;
        for (t->n_held--; i < t->n_held; i++)
            t->held[i] = t->held[i + 1];
        t->lock_set = 0;
        return true;
    }
    if (t->n_held < CSPR_MAX_HELD) // else it may be one that found no room
        cspr_lock_hand(lock);
    return false;
}

cspr_lock_id cspr_lock_id_of(const void *lock, bool make)
{
    cspr_lock_id id = 0;
    if (!make && !cspr_sync_may_be(lock))
        return 0;
    uint64_t *cells = cspr_shadow_of((uintptr_t)lock);
    uint64_t w = cspr_word_take(cells), r = cspr_word_read_cell(cells, w);
    if (make) {
        cspr_record *rec = cspr_word_record(word_of(lock), cells, w);
        cspr_sync *s = cspr_record_sync(rec, (uintptr_t)lock, true);
        if (!s->lock_id)
            s->lock_id = cspr_lock_id_new(lock);
        id = s->lock_id;
        r = w = cspr_record_cell(rec);
    } else if (cspr_cell_is_aside(w)) {
        const cspr_sync *s = cspr_record_sync(cspr_record_of(w), (uintptr_t)lock, false);
        id = s ? s->lock_id : 0;
    }
    cspr_word_give(cells, r, w);
    return id;
}

// A writer makes readers wait that otherwise would not (O3).
CSPR_NOINLINE static void note_writer(const void *lock, cspr_task *t)
{
    cspr_lock_id id = cspr_lock_id_of(lock, false);
    if (id)
        cspr_lock_order_wrote(id, t);
}

void cspr_locked(const void *lock, int mode, cspr_task *t, cspr_stack stack)
{
    if (!(t = cspr_task_meant(t)))
        return;
    int kind = mode & CSP_LOCK_READ;
    cspr_enter();
    cspr_lock_wait_end(t);
    acquire(lock, t, kind == CSP_LOCK_WRITE ? WRITER : READER);
    // Relaxed: a hint.
    if (CSPR_UNLIKELY(__atomic_load_n(&cspr_lock_order_reads, __ATOMIC_RELAXED)) && kind == CSP_LOCK_WRITE)
        note_writer(lock, t);
    if (CSPR_UNLIKELY(t->n_held) && !(mode & CSPR_LOCK_TRY) && cspr_flags.detect_deadlocks && t == cspr_self.task)
        cspr_lock_order_taken(t, lock, mode, stack);
    add_held(t, lock, kind, stack);
    cspr_leave();
}

void cspr_unlocking(const void *lock, int mode, cspr_task *t)
{
    if (!(t = cspr_task_meant(t)))
        return;
    release_lock(lock, t, mode, remove_held(t, lock, mode));
}

void cspr_unlocking_for_good(const void *lock, int mode, cspr_task *t)
{
    if (!(t = cspr_task_meant(t)))
        return;
    cspr_unlocking(lock, mode, t);
    t->resume.lock = NULL;
}
