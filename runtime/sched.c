// sched.c - what coroutines and the rest of the runtime call: create, park, make ready, yield, end.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ordering:  F1 ready: store-release of a bound coroutine's token -> its load-acquire; carries what the waker wrote
// Coroutines proper need no edge here: they pass through a run queue (runq.c E1, E4) or the scheduler's lock.
// See: docs/architecture.md; Go's gopark, goready, newproc
#include "eh.h"
#include "worker.h"

#include "control.h"
#include "csp/go.h"
#include "panic.h"
#include "switch.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>

csp_co *cspi_self(void)
{
    cspi_worker *w = cspi_worker_self();
    if (w)
        return w->current;
    csp_co *co = cspi_foreign_self();
    return co ? co : cspi_self_slow();
}

void *cspi_task(csp_co *co)
{
    return co->task;
}

bool cspi_is_bound(const csp_co *co)
{
    return co->bound;
}

uint32_t cspi_random(void)
{
    if (CSPI_CONTROLLED())
        return (uint32_t)CSP_HOOK_VALUE(random, 0);
    static uint64_t shared; // for threads that are no worker: atomic, quality does not matter
    cspi_worker *w = cspi_worker_self();
    uint64_t x = w ? (w->random += 0x9e3779b97f4a7c15u) : csp_add_rlx(&shared, 0x9e3779b97f4a7c15u);
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    return (uint32_t)((x ^ (x >> 27)) * 0x94d049bb133111ebu >> 32);
}

// --- parking -----------------------------------------------------------------------------------------------------------

// Until a worker, perhaps another one, runs co again.
static void leave_worker(csp_co *co)
{
    cspi_worker *w = cspi_worker_self();
    cspi_eh exceptions = cspi_eh_take();
    cspi_fiber_leave(&co->fiber, &w->loop, false);
    cspi_switch(&co->sp, w->sched_sp);
    cspi_fiber_arrive(&co->fiber, &cspi_worker_self()->loop);
    cspi_eh_put(exceptions);
}

// The coroutine's side of every switch.
static void switch_to_loop(csp_co *co)
{
    CSP_HOOK(task_leave);
    leave_worker(co);
}

void cspi_call_on_loop(void (*fn)(void *), void *arg)
{
    csp_co *co = cspi_self();
    cspi_worker *w = cspi_worker_self();
    w->request = REQUEST_CALL;
    w->release = fn;
    w->release_arg = arg;
    leave_worker(co); // no task_leave: the task goes on, on another stack
}

static void release_lock(void *lock)
{
    cspi_lock_release((cspi_lock *)lock);
}

static void release_nothing(void *unused)
{
    (void)unused;
}

static void park_bound(csp_co *co, void (*release)(void *), void *arg)
{
    int saved = errno;
    csp_store_rlx(&co->token, 0u); // relaxed: release() publishes it to who may make us ready
    cspi_co_set_state(co, CO_RUNNING, CO_PARKED);
    if (CSPI_CONTROLLED())
        CSP_HOOK(co_parks, co->task);
    CSP_HOOK(task_leave);
    release(arg);
    if (CSPI_CONTROLLED()) {
        CSP_HOOK(co_wait);
        CSP_HOOK(task_enter, co->task);
        errno = saved;
        return;
    }
    if (csp_load_rlx(&cspi_sched.stopping) &
        CSPI_STOP_TO_END) // relaxed: only this thread, which ends the process, set it
        cspi_rest_resume();
    cspi_lock_acquire(&cspi_sched.lock);
    csp_add_rlx(&cspi_sched.n_bound_running, -1); // relaxed: under the lock; atomic for cspi_ready
    cspi_rest_check_locked();
    cspi_lock_release(&cspi_sched.lock);
    while (!csp_load_acq(&co->token)) // F1
        cspi_futex_wait(&co->token, 0, CSPI_FOREVER);
    CSP_HOOK(task_enter, co->task);
    errno = saved;
}

void cspi_park_with(const cspi_wait *wait, void (*release)(void *arg), void *arg)
{
    csp_co *co = cspi_self();
    co->wait = wait;
    cspi_worker *w = cspi_worker_self();
    co->since_ns = CSP_HOOKS || !w ? cspi_now_coarse() : w->clock_ns; // reports sort by it, and want more than clock_ns
    if (!w) {
        park_bound(co, release, arg);
        return;
    }
    w->request = REQUEST_PARK;
    w->release = release;
    w->release_arg = arg;
    switch_to_loop(co);
}

void cspi_park(const cspi_wait *wait, cspi_lock *lock)
{
    cspi_park_with(wait, lock ? release_lock : release_nothing, lock);
}

static void ready_bound(csp_co *co)
{
    cspi_co_set_state(co, CO_PARKED, CO_RUNNING);
    // relaxed: it cannot be missed by the all-asleep check, which needs the caller itself to be asleep.
    csp_add_rlx(&cspi_sched.n_bound_running, 1);
    if (CSPI_CONTROLLED()) {
        CSP_HOOK(co_ready, co->task, NULL);
        return;
    }
    csp_store_rel(&co->token, 1u); // F1; the thread may go on and end now: co is not touched again
    cspi_futex_wake(&co->token, 1);
}

// co has become runnable. w: the caller's worker, NULL: it is on none.
static void enqueue(cspi_worker *w, csp_co *co)
{
    if (CSPI_CONTROLLED()) {
        if (!w)
            cspi_control_need_worker(); // in a forked child there is none
        CSP_HOOK(co_ready, co->task, co);
        return;
    }
    if (w)
        cspi_worker_push_next(w, co);
    else
        cspi_global_push(co);
    cspi_wake_one();
}

void cspi_ready(csp_co *co)
{
    if (__builtin_expect(co->bound, 0)) {
        ready_bound(co);
        return;
    }
    cspi_co_set_state(co, CO_PARKED, CO_RUNNABLE);
    enqueue(cspi_worker_self(), co);
}

// --- creating and ending ----------------------------------------------------------------------------------------------

// A coroutine's first steps when switches are announced.
static void begin_announced(void *self)
{
    csp_co *co = self;
    cspi_fiber_arrive(&co->fiber, &cspi_worker_self()->loop);
    void (*fn)(void *) = co->fn;
    void *arg = co->arg;
    co->at_end = NULL;
    fn(arg);
}

// Options NULL: none. The name is cut to its space.
static csp_co *take_stack(cspi_worker *w, const csp_go_options *o)
{
    csp_co *co = o && o->stack_size ? cspi_stack_get_sized(o->stack_size) : cspi_stack_get(w ? &w->stacks : NULL);
    *co = (csp_co){
        .id = csp_add_rlx(&cspi_sched.next_id, 1), // relaxed: only has to be unique
        .kind = CO_COROUTINE,
        .slab = co->slab,
    };
    if (!o)
        return co;
    co->daemon = o->daemon;
    if (o->name) {
        csp_fence_rel(); // who looks and sees something of the name sees the new id, too (note_name)
        co->named = true;
        char *name = (char *)co - CSPI_NAME_SPACE;
        size_t n = 0;
        for (; n < CSPI_NAME_SPACE - 1 && o->name[n]; n++)
            name[n] = o->name[n];
        name[n] = '\0';
    }
    return co;
}

// Its frames begin at stack_top.
static void prepare(csp_co *co, void *stack_top, void (*fn)(void *), void *arg)
{
    if (cspi_fiber_announced()) {
        char *lo = cspi_stack_lo(co);
        co->fiber = (cspi_fiber){.lo = lo, .size = (size_t)((char *)cspi_stack_hi(co) - lo)};
        cspi_fiber_forget_stack(lo, co->fiber.size);
        cspi_fiber_init(&co->fiber);
        co->fn = fn;
        co->arg = arg;
        fn = begin_announced;
        arg = co;
    }
    co->sp = cspi_switch_prepare(stack_top, fn, arg);
}

// Relaxed: only the owner writes its counts; who counts sees a creation through what came after it (cspi_count_live).
static void count_created(cspi_worker *w)
{
    if (w) {
        csp_store_rlx(&w->created, w->created + 1);
    } else {
        csp_add_rlx(&cspi_sched.live_unowned, 1);
        csp_add_rlx(&cspi_sched.created_unowned, 1u);
    }
}

static void start_co(cspi_worker *w, csp_co *co)
{
    count_created(w);
    cspi_co_set_state(co, CO_FREE, CO_RUNNABLE);
    enqueue(w, co);
}

// The creator's part: the detector's task, the labels. entry: the function as the program named it.
static void be_born(csp_co *co, csp_co *creator, const void *entry, const csp_site *site, void *caller)
{
    (void)entry;
    if (CSP_HOOKS)
        co->site = site;
    else
        co->created_at = caller;
    co->labels = cspi_labels_ref(creator->labels);
    co->task = CSP_HOOK_VALUE(task_new, NULL, co->id, cspi_stack_lo(co), cspi_stack_hi(co), site);
    CSP_HOOK(task_entry, co->task, *(void (**)(void))&entry);
    if (co->named)
        CSP_HOOK(task_name, co->task, cspi_co_name(co));
}

// Part of the public function that calls it: the frame that reports show is named after that one.
__attribute__((always_inline)) static inline void go(const csp_go_options *o, void (*fn)(void *), void *arg,
                                                     const csp_site *site, void *caller)
{
    csp_co *self = cspi_self(); // first of all: it starts the runtime
    CSPI_POINT(GO, NULL);
    cspi_worker *w = cspi_worker_self();
    csp_co *co = take_stack(w, o);
    prepare(co, cspi_co_stack_top(co), fn, arg);
    be_born(co, self, *(void **)&fn, site, caller);
    start_co(w, co);
}

void csp_go(void (*fn)(void *), void *arg)
{
    CSPI_FRAME();
    go(NULL, fn, arg, CSP_HOOK_VALUE(take_site, NULL), __builtin_return_address(0));
}

void csp_go_with(const csp_go_options *o, void (*fn)(void *), void *arg)
{
    CSPI_FRAME();
    go(o, fn, arg, CSP_HOOK_VALUE(take_site, NULL), __builtin_return_address(0));
}

void cspi_go_at(void (*fn)(void *), void *arg, const csp_site *site, void *caller)
{
    go(NULL, fn, arg, site, caller);
}

void cspi_go_copy(void (*fn)(void *), const void *bytes, size_t size, void *entry, const csp_site *site, void *caller)
{
    csp_co *self = cspi_self();
    CSPI_POINT(GO, NULL);
    cspi_worker *w = cspi_worker_self();
    csp_co *co = take_stack(w, NULL);
    void **top = cspi_co_stack_top(co);
    top[CSPI_SWITCH_ENTRY_SLOT] = entry; // where dumps look for it
    char *copy = (char *)(top + CSPI_SWITCH_ENTRY_SLOT) - (size + 15) / 16 * 16;
    prepare(co, copy, fn, copy);
    CSP_HOOK(ignore_begin);
    memcpy(copy, bytes, size);
    CSP_HOOK(ignore_end);
    be_born(co, self, entry, site, caller);
    start_co(w, co);
}

void cspi_go_from(void (*fn)(void *), void *arg, void *snapshot)
{
    (void)snapshot;
    cspi_worker *w = cspi_worker_self();
    csp_co *co = take_stack(w, NULL);
    prepare(co, cspi_co_stack_top(co), fn, arg);
    co->task = CSP_HOOK_VALUE(task_new_from, NULL, co->id, cspi_stack_lo(co), cspi_stack_hi(co), snapshot);
    start_co(w, co);
}

void csp_yield(void)
{
    CSPI_FRAME();
    csp_co *co = cspi_self();
    if (CSPI_CONTROLLED()) {
        CSPI_POINT_IDLE(YIELD, NULL);
        return;
    }
    cspi_worker *w = cspi_worker_self();
    if (!w) {
        sched_yield();
        return;
    }
    w->request = REQUEST_YIELD;
    switch_to_loop(co);
}

#if CSP_HOOKS
void cspi_control_switch_away(void)
{
    cspi_worker_self()->request = REQUEST_YIELD;
    switch_to_loop(cspi_self());
}
#endif

void cspi_at_end(void (*fn)(void *), void *arg)
{
    csp_co *co = cspi_self();
    CSP_CHECK(co->kind == CO_COROUTINE && !co->at_end);
    co->at_end = fn;
    co->at_end_arg = arg;
}

void cspi_co_finish(void)
{
    cspi_worker *w = cspi_worker_self();
    if (w->current->kind == CO_COROUTINE && w->current->at_end)
        w->current->at_end(w->current->at_end_arg); // does not park: w stays ours
    csp_store_rel(&w->ended, w->ended + 1);         // C1 of cspi_count_live; only the owner writes
    cspi_labels_unref(w->current->labels);
    w->current->labels = NULL;
    CSP_HOOK(task_end);
    w->request = REQUEST_END;
    cspi_eh_take(); // ended by csp_exit inside a catch clause: what it caught is lost, as its frames are
    csp_co *co = w->current;
    cspi_fiber_leave(&co->fiber, &w->loop, co->kind != CO_MAIN); // others may still use main's locals
    cspi_switch(&co->sp, w->sched_sp);
    __builtin_unreachable();
}

void csp_exit(void)
{
    CSPI_FRAME();
    csp_co *co = cspi_self();
    if (cspi_away_self())
        csp_panic("csp_exit inside csp_blocking");
    if (co->kind == CO_MAIN)
        csp_store_rel(&cspi_sched.main_ended, true); // read under the lock by the all-asleep check, after we are gone
    if (!cspi_worker_self()) {
        if (co->kind == CO_MAIN)
            cspi_bound_main_ends(co);
        pthread_exit(NULL);
    }
    CSP_HOOK(task_exits);
    cspi_co_finish();
}

uint64_t csp_id(void)
{
    return cspi_self()->id;
}

size_t csp_count(void)
{
    (void)cspi_self();
    int64_t n = cspi_count_live();
    return (size_t)n;
}
