// task.c - tasks: birth, running here or there, epochs, publishing and learning, end, and the reuse of logical ids.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Id reuse (rule B1): N created by P takes finished F's id only if P's clock covers the last epoch in which F recorded
// anything. Then F's events -> csp_go -> N's events, so the id stays a chain in happens-before and old cells compare right.
// Candidates wait in a queue of the creator; each creation tests at most two.
#define _GNU_SOURCE // pthread_getattr_np
#include "task/task.h"

#include "clock/everyone.h"
#include "deadlock/lock_wait.h"
#include "shadow/depot.h"
#include "shadow/reread.h"
#include "shadow/side.h"
#include "support/alloc.h"
#include "support/counters.h"
#include "task/tls.h"

#include <errno.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

__thread cspr_thread cspr_self __attribute__((tls_model("initial-exec")));
__thread uint64_t __csp_current __attribute__((tls_model("initial-exec"))) = CSPR_CURRENT_NOBODY; // rule A5
__thread uint64_t __csp_current_shared __attribute__((tls_model("initial-exec"))) = CSPR_CURRENT_NOBODY;
__thread uint32_t cspr_shared_reads __attribute__((tls_model("initial-exec")));
__thread uint32_t cspr_known_epochs[CSPR_KNOWN_SLOTS] __attribute__((tls_model("initial-exec")));
__thread csp_frame *__csp_top __attribute__((tls_model("initial-exec")));
__thread const csp_site *__csp_site __attribute__((tls_model("initial-exec")));

bool cspr_ready;

// --- logical ids ----------------------------------------------------------------------------------------------------------

typedef struct spare_id {
    uint32_t id;
    uint64_t at; // the clock value its next owner must know
} spare_id;

struct cspr_id_queue {
    // --- all under ids_lock
    uint32_t refs; // its task, and each queue that has it as parent
    bool closed;   // its task has ended: what arrives goes to the parent
    cspr_id_queue *parent;
    spare_id *ring;
    uint32_t cap, head, n;
};

static cspr_lock ids_lock;
static uint32_t next_id = 1;      // atomic
static cspr_id_queue *root_queue; // of the first task: takes what has no other heir

static void push_spare(cspr_id_queue *q, spare_id s)
{
    if (q->n == q->cap) {
        uint32_t cap = q->cap ? q->cap * 2 : 8;
        spare_id *ring = cspr_alloc(cap * sizeof *ring);
        for (uint32_t i = 0; i < q->n; i++)
            ring[i] = q->ring[(q->head + i) % q->cap];
        cspr_free(q->ring, q->cap * sizeof *ring);
        q->ring = ring;
        q->cap = cap;
        q->head = 0;
    }
    q->ring[(q->head + q->n++) % q->cap] = s;
}

static bool pop_spare(cspr_id_queue *q, spare_id *s)
{
    if (!q->n)
        return false;
    *s = q->ring[q->head];
    q->head = (q->head + 1) % q->cap;
    q->n--;
    return true;
}

static void unref_queue_locked(cspr_id_queue *q)
{
    while (q && --q->refs == 0) {
        cspr_id_queue *parent = q->parent;
        cspr_free(q->ring, q->cap * sizeof *q->ring);
        cspr_free(q, sizeof *q);
        q = parent;
    }
}

// The nearest queue at or above q whose task lives.
static cspr_id_queue *open_queue(cspr_id_queue *q)
{
    while (q->closed && q->parent)
        q = q->parent;
    return q;
}

// Of a task that creates its first child; most create none.
static cspr_id_queue *queue_of_locked(cspr_task *t)
{
    if (!t->ids) {
        t->ids = cspr_alloc(sizeof *t->ids);
        t->ids->refs = 1;
        t->ids->parent = t->heir;
        t->heir->refs++;
    }
    return t->ids;
}

static void make_root_locked(cspr_task *first)
{
    root_queue = cspr_alloc(sizeof *root_queue);
    root_queue->refs = 2; // the root stays
    first->ids = root_queue;
}

// For t, whose clock is what its creator (NULL: nobody) let it know: a finished id which that covers, or a fresh one. *at: where
// its clock stands.
static uint32_t take_id(cspr_task *t, cspr_task *creator, uint64_t *at)
{
    cspr_lock_acquire(&ids_lock);
    if (!root_queue) {
        make_root_locked(t);
    } else {
        t->heir = creator ? queue_of_locked(creator) : root_queue;
        t->heir->refs++;
    }
    cspr_id_queue *q = t->heir ? t->heir : root_queue;
    for (unsigned tries = 0; tries < 2; tries++) {
        spare_id s;
        if (!pop_spare(q, &s))
            break;
        if (cspr_clock_get(&t->clock, s.id) >= s.at) {
            cspr_lock_release(&ids_lock);
            *at = s.at;
            return s.id;
        }
        push_spare(q, s);
    }
    cspr_lock_release(&ids_lock);
    *at = 0;
    return __atomic_fetch_add(&next_id, 1, __ATOMIC_RELAXED); // relaxed: distinct is enough
}

static void close_queue_locked(cspr_id_queue *q, cspr_id_queue *heir)
{
    spare_id s;
    while (pop_spare(q, &s))
        push_spare(heir, s);
    q->closed = true;
    heir->refs++; // a shorter way for those who come later; the chain of ended creators is let go
    unref_queue_locked(q->parent);
    q->parent = heir;
}

// t's own id and those its children left go to its creator, and the queue closes.
static void hand_on_ids(cspr_task *t)
{
    cspr_lock_acquire(&ids_lock);
    cspr_id_queue *q = t->ids, *heir = t->heir ? open_queue(t->heir) : q;
    push_spare(heir, (spare_id){t->clock.own, t->clock.own_at});
    if (q && heir != q)
        close_queue_locked(q, heir);
    unref_queue_locked(q);
    unref_queue_locked(t->heir);
    t->ids = t->heir = NULL;
    cspr_lock_release(&ids_lock);
}

// --- birth and end --------------------------------------------------------------------------------------------------------

cspr_task *cspr_task_make(cspr_identity *who, cspr_task *creator, const cspr_stamp *from)
{
    cspr_task *t = cspr_alloc(sizeof *t);
    cspr_clock_init(&t->clock, CSPR_NO_ID, 0);
    cspr_clock_join(&t->clock, from);
    t->order = cspr_stamp_ref(from ? from->order : NULL);
    uint64_t at;
    uint32_t id = take_id(t, creator, &at);
    cspr_clock_set_own(&t->clock, id, at);
    who->creator = creator ? creator->who : from ? from->who : 0;
    t->who = cspr_who_new(who);
    cspr_who_set_task(t->who, t);
    t->stack_lo = who->stack_lo;
    t->stack_hi = who->stack_hi;
    cspr_everyone_add(t);
    return t;
}

void cspr_task_finish(cspr_task *t)
{
    cspr_who_set_finished(t->who);
    cspr_reread_task_ends(t);
    if (CSPR_UNLIKELY(t->n_held))
        cspr_locks_abandon(t);
    cspr_everyone_ended(t);
    hand_on_ids(t);
}

void cspr_task_free(cspr_task *t)
{
    cspr_everyone_remove(t);
    cspr_stamp *held[] = {t->stamp, t->fence, t->loaded, t->last_loaded, t->last_learned, t->final, t->order};
    for (unsigned i = 0; i < sizeof held / sizeof *held; i++)
        cspr_stamp_unref(held[i]);
    cspr_clock_fini(&t->clock);
    cspr_free(t->held, CSPR_MAX_HELD * sizeof *t->held);
    cspr_free(t, sizeof *t);
}

// --- epochs and knowledge -------------------------------------------------------------------------------------------------

static void forget_stamp(cspr_task *t)
{
    cspr_stamp_unref(t->stamp);
    t->stamp = NULL;
}

void cspr_task_open_slow(cspr_task *t)
{
    forget_stamp(t);
    t->at = ++t->clock.own_at;
    t->open = true;
    t->epoch = 0;
}

uint32_t cspr_task_name_epoch(cspr_task *t)
{
    cspr_task_open(t);
    if (CSPR_LIKELY(t->epoch))
        return t->epoch;
    uint64_t at = t->at;
    if (!t->run || at - t->run_base >= CSPR_RUN_EPOCHS) {
        t->run = cspr_epoch_new_run(t->clock.own, at, t->who, t->run);
        t->run_base = at;
        if (!t->run)
            return 0;
    }
    t->epoch = t->run + (uint32_t)(at - t->run_base);
    cspr_set_current(cspr_cell_of(t->epoch, 0xff, 0));
    return t->epoch;
}

// What is published next says what t knows without locks, its own doings included.
CSPR_NOINLINE static void seal_order(cspr_task *t)
{
    if (t->order_open) {
        cspr_stamp *named = cspr_stamp_named(t->order, t->order_id, t->order_at);
        cspr_stamp_unref(t->order);
        t->order = named;
        t->order_open = false;
    }
    if (t->stamp && t->stamp->order != t->order)
        forget_stamp(t);
}

static void close_epoch(cspr_task *t, uintptr_t by, void *leaf_pc)
{
    if (t->epoch) {
        cspr_stack release = cspr_depot_release(t == cspr_self.task ? __csp_top : t->top, leaf_pc, by);
        cspr_epoch_note_end(t->epoch, release);
        if (t->paused)
            cspr_epoch_note_end(t->paused, release);
    }
    t->open = false;
    t->epoch = t->paused = 0;
    if (t == cspr_self.task)
        cspr_set_current(CSPR_CURRENT_NOBODY);
}

// t's release, whatever it publishes.
static void end_epoch(cspr_task *t, uintptr_t by, void *leaf_pc)
{
    close_epoch(t, by, leaf_pc);
    t->published++;
}

cspr_stamp *cspr_task_release(cspr_task *t, uintptr_t by, void *leaf_pc)
{
    bool by_lock = by == CSPR_BY_UNLOCK;
    if (CSPR_UNLIKELY(!by_lock && (t->order || t->order_open)))
        seal_order(t);
    if (!t->stamp) {
        t->stamp = cspr_clock_publish(&t->clock, t->who);
        t->stamp->order = by_lock ? NULL : cspr_stamp_ref(t->order);
    }
    end_epoch(t, by, leaf_pc);
    return t->stamp;
}

cspr_stamp *cspr_task_publish(cspr_task *t, uintptr_t by, void *leaf_pc)
{
    return cspr_task_share(cspr_task_release(t, by, leaf_pc));
}

cspr_stamp *cspr_task_hand_over(cspr_task *t, uintptr_t by)
{
    cspr_stamp *s = cspr_task_release(t, by, NULL);
    if (__atomic_load_n(&s->refs, __ATOMIC_RELAXED) != 1) // relaxed: only t has it, as in cspr_task_share
        return cspr_stamp_ref(s);
    t->stamp = NULL;
    return s;
}

cspr_stamp *cspr_task_share(cspr_stamp *s)
{
    // Relaxed: only t has it, and nobody can get at it but through t. No locked instruction then.
    if (CSPR_LIKELY(__atomic_load_n(&s->refs, __ATOMIC_RELAXED) == 1)) {
        __atomic_store_n(&s->refs, 2, __ATOMIC_RELAXED);
        return s;
    }
    return cspr_stamp_ref(s);
}

static bool is_own(const cspr_task *t, const cspr_stamp *s)
{
    return s->who && s->who == t->who;
}

bool cspr_task_is_news(const cspr_task *t, const cspr_stamp *s)
{
    return s && s != t->last_learned && !is_own(t, s) &&
           (s->id == CSPR_NO_ID || !cspr_task_knows(t, s->id, s->at)); // J1
}

CSPR_NOINLINE bool cspr_task_knows_epoch_slow(const cspr_task *t, uint32_t epoch)
{
    bool known = cspr_task_knows(t, cspr_epoch_run(epoch)->id, cspr_epoch_clock(epoch));
    if (known)
        cspr_epoch_note_known(epoch);
    return known;
}

void cspr_task_resume(cspr_task *t)
{
    t->paused = t->open ? t->epoch : 0;
    t->open = true;
    t->at = t->resume.at;
    t->epoch = t->resume.epoch;
    t->resume.lock = NULL;
    cspr_count(CSPR_COUNT_RESUMED);
    cspr_set_current(cspr_cell_of(t->epoch, 0xff, 0));
}

// The newest frame record, if it and the one before it are there and named; one below us may be left from before a longjmp
// (depot.c), so who calls this is never inlined.
static inline const csp_frame *named_top(void)
{
    const csp_frame *top = __csp_top;
    bool lives = top && (uintptr_t)top > (uintptr_t)__builtin_frame_address(0);
    return lives && top->prev && top->prev->node ? top : NULL;
}

CSPR_NOINLINE void cspr_task_rest(cspr_task *t, uintptr_t by)
{
    const csp_frame *top = named_top();
    // Loops come back from one place: how the epoch ended is noted already.
    if (CSPR_LIKELY(top && top->ret == t->resume.ret && top->prev->node == t->resume.caller && !t->paused))
        t->epoch = 0;
    close_epoch(t, by, NULL);
    t->resume.ret = top ? top->ret : NULL;
    t->resume.caller = top ? top->prev->node : 0;
}

static void learn_order(cspr_task *t, const cspr_stamp *s)
{
    if (CSPR_UNLIKELY(s && s->order && s->order != t->order))
        t->order = cspr_stamp_merge(t->order, s->order);
}

void cspr_task_learn_given_from_lock(cspr_task *t, cspr_stamp *s)
{
    // What this incarnation published itself it still knows.
    if (!s || s == t->last_learned || is_own(t, s)) {
        cspr_stamp_unref(s);
        return;
    }
    cspr_stamp_unref(t->last_learned);
    t->last_learned = s;
    if (cspr_clock_join(&t->clock, s))
        forget_stamp(t);
    cspr_everyone_learned(t);
}

void cspr_task_learn_given(cspr_task *t, cspr_stamp *s)
{
    learn_order(t, s);
    cspr_task_learn_given_from_lock(t, s);
}

void cspr_task_learn(cspr_task *t, const cspr_stamp *s)
{
    learn_order(t, s);
    if (s && s != t->last_learned && !is_own(t, s))
        cspr_task_learn_given_from_lock(t, cspr_stamp_ref((cspr_stamp *)s));
}

static bool has_order(const cspr_task *t)
{
    return t->order || t->order_open;
}

CSPR_NOINLINE static void meet_with_order(cspr_task *a, cspr_task *b)
{
    cspr_stamp *of_a = cspr_task_publish(a, CSPR_BY_CALL, NULL), *of_b = cspr_task_publish(b, CSPR_BY_CALL, NULL);
    cspr_task_learn(a, of_b);
    cspr_task_learn(b, of_a);
    cspr_stamp_unref(of_a);
    cspr_stamp_unref(of_b);
}

void cspr_task_meet(cspr_task *a, cspr_task *b)
{
    if (CSPR_UNLIKELY(has_order(a) || has_order(b) || !cspr_flags.meet_once)) {
        meet_with_order(a, b);
        return;
    }
    end_epoch(a, CSPR_BY_CALL, NULL);
    end_epoch(b, CSPR_BY_CALL, NULL);
    cspr_count(CSPR_COUNT_MEETINGS);
    cspr_clock_meet(&a->clock, &b->clock);
    forget_stamp(a);
    forget_stamp(b);
    cspr_everyone_learned(a);
    cspr_everyone_learned(b);
}

// --- running --------------------------------------------------------------------------------------------------------------

void cspr_task_load(cspr_task *t)
{
    cspr_self.task = t;
    cspr_known_epochs_forget();
    cspr_set_current(t->open && t->epoch ? cspr_cell_of(t->epoch, 0xff, 0) : CSPR_CURRENT_NOBODY);
    __csp_top = t->top;
    __atomic_store_n(&t->live_top, &__csp_top, __ATOMIC_RELAXED); // relaxed: reports check what they find there
    __csp_site = t->site;
}

void cspr_task_store(void)
{
    cspr_task *t = cspr_self.task;
    if (t) {
        t->top = __csp_top;
        __atomic_store_n(&t->live_top, NULL, __ATOMIC_RELAXED); // relaxed: as above
        t->site = __csp_site;
    }
    cspr_self.task = NULL;
    cspr_set_current(CSPR_CURRENT_NOBODY);
    __csp_top = NULL;
    __csp_site = NULL;
}

static cspr_task *new_thread_task(cspr_task *creator, const cspr_stamp *from, cspr_stack creation)
{
    static uint64_t n_threads; // atomic
    cspr_identity who = {
        .kind = CSPR_KIND_THREAD,
        .id = __atomic_add_fetch(&n_threads, 1, __ATOMIC_RELAXED), // relaxed: distinct is enough
        .creation = creation,
    };
    return cspr_task_make(&who, creator, from);
}

CSPR_NOINLINE static cspr_task *register_thread_slow(void)
{
    if (cspr_self.is_known || cspr_self.is_worker || cspr_self.dead || !cspr_ready)
        return NULL;
    cspr_enter();
    cspr_task *t = new_thread_task(NULL, NULL, 0);
    cspr_who_set_thread(t->who, (pid_t)syscall(SYS_gettid), 0, 0);
    cspr_known_epochs_forget();
    cspr_self.task = t;                                           // its frame records, if any, stay as they are
    __atomic_store_n(&t->live_top, &__csp_top, __ATOMIC_RELAXED); // relaxed: reports check what they find there
    cspr_self.is_known = true;
    cspr_leave();
    return t;
}

cspr_task *cspr_task_current(void)
{
    return CSPR_LIKELY(cspr_self.task != NULL) ? cspr_self.task : register_thread_slow();
}

cspr_task *cspr_task_new_thread(cspr_task *creator, cspr_stack creation)
{
    cspr_enter();
    cspr_stamp *known = creator ? cspr_task_publish(creator, CSPR_BY_THREAD, NULL) : NULL;
    cspr_task *t = new_thread_task(creator, known, creation);
    cspr_stamp_unref(known);
    cspr_leave();
    return t;
}

// The C library hands an ended thread's stack, with its thread-locals, to the next one; what was recorded there was about
// other variables.
static void forget_own_stack(cspr_task *t)
{
    pthread_attr_t attr;
    void *lo;
    size_t size;
    if (pthread_getattr_np(pthread_self(), &attr))
        return;
    if (!pthread_attr_getstack(&attr, &lo, &size)) {
        t->stack_lo = (uintptr_t)lo;
        t->stack_hi = t->stack_lo + size;
        cspr_shadow_forget(t->stack_lo, t->stack_hi);
    }
    pthread_attr_destroy(&attr);
}

void cspr_task_attach(cspr_task *t)
{
    int saved = errno;
    cspr_enter();
    forget_own_stack(t);
    cspr_who_set_thread(t->who, (pid_t)syscall(SYS_gettid), t->stack_lo, t->stack_hi);
    cspr_task_load(t);
    cspr_self.is_known = true;
    cspr_leave();
    errno = saved;
}

void cspr_task_detach_ended(void)
{
    cspr_task *t = cspr_self.task;
    if (!t)
        return;
    cspr_enter();
    cspr_tls_end();
    t->final = cspr_task_publish(t, CSPR_BY_END, NULL);
    cspr_task_store();
    cspr_task_finish(t);
    cspr_side_thread_ends();
    cspr_alloc_thread_ends();
    cspr_leave();
}

void cspr_task_join(cspr_task *ended)
{
    cspr_task *t = cspr_task_current();
    cspr_enter();
    if (t) {
        cspr_task_learn(t, ended->final);
        cspr_everyone_back(t); // before the ended one's row goes
    }
    cspr_task_free(ended);
    cspr_leave();
}

void cspr_task_drop(cspr_task *ended)
{
    cspr_enter();
    cspr_task_free(ended);
    cspr_leave();
}

void cspr_task_set_name(cspr_task *t, const char *name)
{
    cspr_who_set_name(t->who, name);
}

cspr_who cspr_task_who(const cspr_task *t)
{
    return t->who;
}

size_t cspr_task_parked_frames(const cspr_task *t, uintptr_t *frames, size_t max)
{
    size_t n = 0;
    if (max && t->public_pc)
        frames[n++] = (uintptr_t)t->public_pc;
    for (const csp_frame *f = t->top; f && n < max; f = f->prev)
        frames[n++] = (uintptr_t)f->ret;
    return n;
}

void cspr_task_fork_lock(bool take)
{
    cspr_lock_for_fork(&ids_lock, take);
}
