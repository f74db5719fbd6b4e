// view.c - all coroutines as they stand, for who looks for leaks: the detector, and csp_leak_check without it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "view.h"

#include "context.h"
#include "csp/sync.h"
#include "signal.h"
#include "timer.h"
#include "worker.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

// Channels that an armed timer will send to or close, sorted. Too little memory: some are missing.
struct woken {
    const struct csp_chan **chans;
    size_t n, cap;
};

static void note_woken(const struct csp_chan *c, void *arg)
{
    struct woken *w = arg;
    if (w->n == w->cap) {
        size_t cap = w->cap ? w->cap * 2 : 64;
        const struct csp_chan **chans = realloc(w->chans, cap * sizeof *chans);
        if (!chans)
            return;
        w->chans = chans;
        w->cap = cap;
    }
    w->chans[w->n++] = c;
}

static int compare_pointers(const void *a, const void *b)
{
    uintptr_t x = (uintptr_t)*(void *const *)a, y = (uintptr_t)*(void *const *)b;
    return (x > y) - (x < y);
}

static bool is_woken(const struct woken *w, const void *chan)
{
    return chan && w->n && bsearch(&chan, w->chans, w->n, sizeof *w->chans, compare_pointers);
}

struct visit {
    void (*fn)(const csp_co_view *view, void *arg);
    void *arg;
    struct woken woken;
};

static bool is_away(const csp_co *co)
{
    for (int i = 0; i < csp_load_acq(&cspi_sched.n_max); i++)
        if (cspi_sched.workers[i]->current == co)
            return cspi_sched.workers[i]->away;
    return false;
}

static bool view_one(csp_co *co, void *arg)
{
    const struct visit *v = arg;
    csp_co_view view = {.id = co->id, .task = co->task, .op = CSP_WAIT_NONE, .is_main = co->kind == CO_MAIN};
    view.name = cspi_co_name(co);
#if !CSP_HOOKS
    view.created_at = co->created_at;
#endif
    view.co = co;
    view.is_daemon = co->daemon;
    view.runs = co->state == CO_RUNNING;
    if (!view.runs) // else it may set others just now, and these are gone
        view.labels = cspi_labels_items(co->labels, &view.n_labels);
    if (co->state == CO_PARKED) {
        const cspi_wait *w = co->wait;
        view.parked = true;
        view.op = w->op;
        view.waiting = cspi_wait_name(w);
        view.will_wake = w->will_wake || is_woken(&v->woken, w->obj);
        for (size_t i = 0; i < w->n_cases && !view.will_wake; i++)
            view.will_wake = is_woken(&v->woken, w->cases[i].chan);
        view.obj = w->obj;
        view.ch = w->ch;
        view.site = w->site;
        view.since_ns = co->since_ns;
        view.cases = w->cases;
        view.n_cases = w->n_cases;
    }
    view.is_foreign = co->kind == CO_FOREIGN;
    bool away = co->state == CO_RUNNING && is_away(co); // its call runs on another stack
    view.sp = away || (!co->bound && co->state != CO_RUNNING) ? (uintptr_t)co->sp : 0;
    view.stack_hi = co->kind == CO_COROUTINE ? (uintptr_t)cspi_co_stack_top(co) : 0;
    v->fn(&view, v->arg);
    return true;
}

void cspi_view_each(void (*fn)(const csp_co_view *view, void *arg), void *arg)
{
    struct visit v = {fn, arg, {0}};
    CSP_HOOK(ignore_begin);
    cspi_signals_each_channel(note_woken, &v.woken);
    cspi_contexts_lock(); // contexts among the timers look at their trees
    cspi_timers_each_channel(note_woken, &v.woken);
    cspi_contexts_unlock();
    if (v.woken.n)
        qsort(v.woken.chans, v.woken.n, sizeof *v.woken.chans, compare_pointers);
    cspi_co_each(view_one, &v);
    free(v.woken.chans);
    CSP_HOOK(ignore_end);
}

void cspi_view_each_root(void (*fn)(const void *root, void *arg), void *arg)
{
    cspi_timers_each(fn, arg);
    cspi_signals_each_root(fn, arg);
}

bool cspi_view_is_idle_thread(int tid)
{
    bool is_ours = csp_load_acq(&cspi_sched.n_own_threads) && cspi_thread_is_own(tid), idle = false;
    cspi_lock_acquire(&cspi_sched.lock);
    for (int i = 0; i < cspi_sched.n_started; i++) {
        const cspi_worker *w = cspi_sched.workers[i];
        if (csp_load_rlx(&w->tid) == tid) // relaxed: set before the thread ran anything
            idle = !w->current && !w->away;
    }
    cspi_lock_release(&cspi_sched.lock);
    return is_ours || idle;
}

uintptr_t cspi_view_stack_end(uintptr_t sp)
{
    for (int i = 0; i < csp_load_acq(&cspi_sched.n_max); i++) {
        uintptr_t lo = (uintptr_t)cspi_sched.workers[i]->stack_lo;
        if (lo && sp - lo < CSPI_LOOP_STACK_SIZE)
            return lo + CSPI_LOOP_STACK_SIZE;
    }
    return 0;
}

// The group may have been freed under who waits for it: that is the program's mistake, not ours to fail at.
int64_t cspi_view_wg_count(const void *wg)
{
    csp_wg copy;
    struct iovec here = {&copy, sizeof copy}, there = {(void *)(uintptr_t)wg, sizeof copy};
    int saved = errno;
    bool read = process_vm_readv(getpid(), &here, 1, &there, 1, 0) == (ssize_t)sizeof copy;
    errno = saved;
    return read ? copy.state & INT64_MAX : -1;
}
