// hooks.c - the runtime's hook table, filled: tasks, order, snapshots and channels as the core sees them.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Channel edges (Go memory model): per slot, numbered by operation. A slot carries one clock: a send joins what the receive
// that emptied it knew and leaves its own; a receive joins that and leaves its own. The channel's lock is held meanwhile.
#include "clock/everyone.h"
#include "control/control_state.h"
#include "control/explore.h"
#include "deadlock/lock_order.h"
#include "deadlock/lock_wait.h"
#include "leak/leak.h"
#include "leak/leak_watch.h"
#include "report/finding_log.h"
#include "shadow/access.h"
#include "shadow/depot.h"
#include "support/alloc.h"
#include "sync/chan_use.h"
#include "sync/sem.h"
#include "sync/sync.h"

#include <errno.h>

typedef struct chan {
    // --- under the channel's lock
    cspr_stamp *closed; // what the closer knew
    // --- immutable after new
    cspr_chan_info info;
    // --- has a lock of its own
    cspr_uses uses;
    // --- under the channel's lock
    cspr_stamp *slots[]; // capacity of them
} chan;

// What a task knew at some moment, for timers and cancellation.
typedef struct snapshot {
    cspr_stamp *stamp;
    cspr_stack stack; // where it was taken: a coroutine that a timer starts was created there
    uint64_t key;     // that coroutine's under control
    uint32_t creator; // likewise: who took it
} snapshot;

#define HERE() cspr_stack_here(__builtin_return_address(0), NULL)

// --- tasks ------------------------------------------------------------------------------------------------------------------

static cspr_task *make_coroutine(uint64_t id, void *lo, void *hi, cspr_task *creator, cspr_stamp *from,
                                 const csp_site *site, cspr_stack creation)
{
    cspr_shadow_forget_stack((uintptr_t)lo, (uintptr_t)hi);
    cspr_identity who = {
        .kind = CSPR_KIND_COROUTINE,
        .id = id,
        .creation = creation,
        .site = site,
        .stack_lo = (uintptr_t)lo,
        .stack_hi = (uintptr_t)hi,
    };
    return cspr_task_make(&who, creator, from);
}

static void *hook_task_new(uint64_t id, void *lo, void *hi, const csp_site *site)
{
    cspr_task *creator = cspr_task_current();
    cspr_stack creation = HERE();
    cspr_enter();
    cspr_stamp *known = creator ? cspr_task_publish(creator, CSPR_BY_GO, NULL) : NULL;
    cspr_task *t = make_coroutine(id, lo, hi, creator, known, site, creation);
    if (CSPR_UNLIKELY(cspr_control_it.begun))
        cspr_control_add(t, cspr_control_child_key(), cspr_control_number(NULL));
    cspr_stamp_unref(known);
    cspr_leave();
    cspr_leak_watch_began(creation);
    return t;
}

static void *hook_task_new_from(uint64_t id, void *lo, void *hi, void *p)
{
    const snapshot *s = p;
    cspr_enter();
    cspr_task *t = make_coroutine(id, lo, hi, NULL, s ? s->stamp : NULL, NULL, s ? s->stack : 0);
    if (CSPR_UNLIKELY(cspr_control_it.begun))
        cspr_control_add(t, s ? s->key : cspr_control_child_key(), s ? s->creator : 0);
    cspr_leave();
    return t;
}

static void *hook_task_current(void)
{
    return cspr_task_current();
}

static void hook_task_name(void *task, const char *name)
{
    cspr_task *t = cspr_task_meant(task);
    if (t)
        cspr_task_set_name(t, name);
}

static void hook_task_leave(void)
{
    cspr_task_store();
}

static void hook_task_enter(void *task)
{
    if (task)
        cspr_task_load(task);
}

static void hook_task_end(void)
{
    cspr_task *t = cspr_self.task;
    if (!t)
        return;
    cspr_leak_watch_ended(t->who);
    cspr_enter();
    if (CSPR_UNLIKELY(t->control != NULL)) {
        cspr_explore_task_ends(t);
        cspr_control_remove(t->control);
    }
    cspr_task_store();
    cspr_task_finish(t);
    cspr_task_free(t);
    cspr_leave();
}

static void hook_task_entry(void *task, void (*fn)(void))
{
    if (task)
        cspr_who_set_entry(cspr_task_who(task), (uintptr_t)fn);
}

static void hook_task_exits(void)
{
    if (cspr_self.task)
        cspr_who_set_end(cspr_self.task->who, HERE());
}

static void hook_worker_start(void)
{
    cspr_self.is_worker = cspr_self.is_known = true;
    cspr_who_note_worker();
}

static void hook_ignore_begin(void)
{
    cspr_self.ignore++;
}

static void hook_ignore_end(void)
{
    cspr_self.ignore--;
}

static void hook_forget(void *lo, void *hi)
{
    if (lo && cspr_ready)
        cspr_shadow_forget((uintptr_t)lo, (uintptr_t)hi);
}

static const csp_site *hook_take_site(void)
{
    const csp_site *site = __csp_site;
    __csp_site = NULL;
    if (cspr_self.task)
        cspr_self.task->public_pc = __builtin_return_address(0); // should it park, this is where
    return site;
}

// --- accesses ---------------------------------------------------------------------------------------------------------------

static void hook_read_range(const void *p, size_t n)
{
    if (n <= 8 && cspr_is_recorded((uintptr_t)p, n, false)) // as cspr_access would find, without the stack
        return;
    cspr_access((uintptr_t)p, n, false, HERE());
}

static void hook_write_range(void *p, size_t n)
{
    cspr_access((uintptr_t)p, n, true, HERE());
}

// --- objects ----------------------------------------------------------------------------------------------------------------

static void hook_acquire(const void *obj, void *task)
{
    cspr_acquire(obj, task);
}

static void hook_release(const void *obj, void *task)
{
    cspr_release_by(obj, task, (uintptr_t)__builtin_return_address(0));
}

static void hook_release_merge(const void *obj, void *task)
{
    cspr_release_merge_by(obj, task, (uintptr_t)__builtin_return_address(0));
}

static void hook_sem_release(const void *sem, int64_t before, int64_t k)
{
    cspr_sem_release(sem, before, k, NULL, (uintptr_t)__builtin_return_address(0));
}

static void hook_sem_take(const void *sem, int64_t before, int64_t k, void *task)
{
    cspr_sem_take(sem, before, k, task);
}

static void hook_locked(const void *lock, int mode, void *task, const csp_site *site)
{
    (void)site; // the stack says it too
    cspr_task *t = cspr_task_meant(task);
    if (!t)
        return;
    cspr_enter();
    cspr_stack stack = t == cspr_self.task ? cspr_depot_here(__builtin_return_address(0), NULL)
                                           : cspr_depot_parked(t->top, t->public_pc);
    cspr_locked(lock, mode | CSPR_LOCK_FAIR, t, stack);
    cspr_leave();
}

static void hook_unlocking(const void *lock, int mode)
{
    cspr_unlocking(lock, mode, NULL);
}

static void hook_lock_wait(const void *lock, int mode)
{
    cspr_task *t = cspr_task_current();
    if (t && t->n_held)
        cspr_lock_waits(lock, mode, t, HERE());
}

// --- snapshots --------------------------------------------------------------------------------------------------------------

static void *hook_snapshot_new(void)
{
    cspr_task *t = cspr_task_current();
    if (!t)
        return NULL;
    cspr_stack here = HERE();
    cspr_enter();
    snapshot *s = cspr_alloc(sizeof *s);
    cspr_everyone_hold(); // before t learns more
    *s = (snapshot){.stamp = cspr_task_publish(t, CSPR_BY_TIMER, NULL), .stack = here};
    if (CSPR_UNLIKELY(cspr_control_it.begun)) {
        s->key = cspr_control_child_key();
        s->creator = cspr_control_number(NULL);
    }
    cspr_leave();
    return s;
}

static void hook_snapshot_free(void *p)
{
    snapshot *s = p;
    if (!s)
        return;
    cspr_enter();
    cspr_everyone_unhold();
    cspr_stamp_unref(s->stamp);
    cspr_free(s, sizeof *s);
    cspr_leave();
}

static void hook_snapshot_acquire(void *p, void *task)
{
    const snapshot *s = p;
    cspr_task *t = cspr_task_meant(task);
    if (!s || !t)
        return;
    cspr_enter();
    cspr_task_learn(t, s->stamp);
    cspr_leave();
}

// --- channels ---------------------------------------------------------------------------------------------------------------

static size_t chan_bytes(size_t cap)
{
    return sizeof(chan) + cap * sizeof(cspr_stamp *);
}

static void *hook_chan_new(const void *channel, size_t cap, size_t elem_size, const csp_site *site)
{
    cspr_task *t = cspr_task_current();
    cspr_stack here = HERE();
    cspr_enter();
    chan *ch = cspr_alloc(chan_bytes(cap));
    ch->info = (cspr_chan_info){
        .chan = channel,
        .cap = cap,
        .elem_size = elem_size,
        .creation = here,
        .site = site,
        .creator = t ? cspr_task_who(t) : 0,
    };
    cspr_uses_init(&ch->uses, channel);
    cspr_leave();
    return ch;
}

static void hook_chan_free(void *p)
{
    chan *ch = p;
    if (!ch)
        return;
    cspr_enter();
    for (size_t i = 0; i < ch->info.cap; i++)
        cspr_stamp_unref(ch->slots[i]);
    cspr_stamp_unref(ch->closed);
    cspr_uses_fini(&ch->uses);
    cspr_free(ch, chan_bytes(ch->info.cap));
    cspr_leave();
}

static void hook_chan_use(void *p, int use)
{
    chan *ch = p;
    cspr_task *t = cspr_task_current();
    if (ch && t)
        cspr_uses_note(&ch->uses, t, use, HERE());
}

static void pass_slot(void *p, size_t slot, void *task, cspr_by by)
{
    chan *ch = p;
    cspr_task *t = cspr_task_meant(task);
    if (!ch || !t)
        return;
    cspr_enter();
    cspr_task_learn_given(t, ch->slots[slot]);
    ch->slots[slot] = cspr_task_hand_over(t, by);
    cspr_leave();
}

static void hook_chan_send(void *p, size_t slot, void *task)
{
    pass_slot(p, slot, task, CSPR_BY_SEND);
}

static void hook_chan_recv(void *p, size_t slot, void *task)
{
    pass_slot(p, slot, task, CSPR_BY_RECV);
}

static void hook_chan_send_snapshot(void *p, size_t slot, void *from)
{
    chan *ch = p;
    const snapshot *s = from;
    if (!ch)
        return;
    cspr_enter();
    cspr_stamp_set(&ch->slots[slot], s ? s->stamp : NULL);
    cspr_leave();
}

static void hook_chan_rendezvous(void *p, void *partner)
{
    (void)p;
    cspr_task *a = cspr_task_current(), *b = partner;
    if (!a || !b)
        return;
    cspr_enter();
    cspr_task_meet(a, b);
    cspr_leave();
}

static void hook_chan_close(void *p)
{
    chan *ch = p;
    cspr_task *t = cspr_task_current();
    if (!ch || !t)
        return;
    cspr_enter();
    cspr_stamp_unref(ch->closed);
    ch->closed = cspr_task_publish(t, CSPR_BY_CLOSE, NULL);
    cspr_leave();
}

static void hook_chan_recv_closed(void *p, void *task)
{
    chan *ch = p;
    cspr_task *t = cspr_task_meant(task);
    if (!ch || !t)
        return;
    cspr_enter();
    cspr_task_learn(t, ch->closed);
    cspr_leave();
}

void cspr_chan_get(void *ch, cspr_chan_info *out)
{
    *out = ((const chan *)ch)->info;
}

void cspr_chan_each_user(void *ch, void (*fn)(const cspr_user *user, void *arg), void *arg)
{
    cspr_uses_each(&((chan *)ch)->uses, fn, arg);
}

size_t cspr_chan_users(void *ch, cspr_leak_peer *out, size_t max, uint32_t *ever)
{
    return cspr_uses_list(&((chan *)ch)->uses, out, max, ever);
}

// --- controlled schedules -------------------------------------------------------------------------------------------------------

// Should it lose the turn, this is where.
static void note_public_pc(void *pc)
{
    if (cspr_self.task)
        cspr_self.task->public_pc = pc;
}

static void hook_point(int op, const void *obj)
{
    note_public_pc(__builtin_return_address(0));
    cspr_control_point(op, obj);
}

static void hook_point_idle(int op, const void *obj)
{
    note_public_pc(__builtin_return_address(0));
    cspr_control_point_idle(op, obj);
}

// --- ends -------------------------------------------------------------------------------------------------------------------

static bool hook_print_stack_of(void *task)
{
    return task ? cspr_print_stack_of(task) : cspr_print_stack();
}

const csp_hook_table cspr_hooks = {
    .ending = cspr_finding_ending,
    .explore_wanted = cspr_explore_wanted,
    .explore = cspr_explore,
    .task_new = hook_task_new,
    .task_new_from = hook_task_new_from,
    .task_current = hook_task_current,
    .task_name = hook_task_name,
    .task_leave = hook_task_leave,
    .task_enter = hook_task_enter,
    .task_end = hook_task_end,
    .task_entry = hook_task_entry,
    .task_exits = hook_task_exits,
    .worker_start = hook_worker_start,
    .ignore_begin = hook_ignore_begin,
    .ignore_end = hook_ignore_end,
    .forget = hook_forget,
    .take_site = hook_take_site,
    .read_range = hook_read_range,
    .write_range = hook_write_range,
    .acquire = hook_acquire,
    .release = hook_release,
    .release_merge = hook_release_merge,
    .sync_reset = cspr_sync_reset,
    .sem_release = hook_sem_release,
    .sem_take = hook_sem_take,
    .locked = hook_locked,
    .unlocking = hook_unlocking,
    .lock_wait = hook_lock_wait,
    .snapshot_new = hook_snapshot_new,
    .snapshot_free = hook_snapshot_free,
    .snapshot_acquire = hook_snapshot_acquire,
    .chan_new = hook_chan_new,
    .chan_free = hook_chan_free,
    .chan_use = hook_chan_use,
    .chan_send = hook_chan_send,
    .chan_recv = hook_chan_recv,
    .chan_send_snapshot = hook_chan_send_snapshot,
    .chan_rendezvous = hook_chan_rendezvous,
    .chan_close = hook_chan_close,
    .chan_recv_closed = hook_chan_recv_closed,
    .schedule_begin = cspr_control_begin,
    .point = hook_point,
    .point_idle = hook_point_idle,
    .choose = cspr_control_choose,
    .random = cspr_control_random,
    .clock = cspr_control_time,
    .rest = cspr_control_rest,
    .carrier_new = cspr_control_carrier_new,
    .carrier_take = cspr_control_carrier_take,
    .carrier_leave = cspr_control_carrier_leave,
    .co_ready = cspr_control_co_ready,
    .co_parks = cspr_control_co_parks,
    .co_wait = cspr_control_co_wait,
    .next_co = cspr_control_next,
    .print_stack = cspr_print_stack,
    .print_stack_of = hook_print_stack_of,
    .all_asleep = cspr_deadlock_all_asleep,
    .leak_check = cspr_leak_check_now,
    .leak_signal = cspr_leak_signal,
    .before_exit = cspr_before_exit,
};
