// rest.c - the whole at rest: all asleep (deadlock), the end of the process, the detector's view of the coroutines.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// "All asleep" is exact: every started worker stands in the idle list, each having looked at all queues after it entered
// (I3 in worker.h), nothing is queued, every thread of the program that ever called in is parked, and no timer will wake
// anybody. A thread of the process that never called in may still do so; while there is one, we only look again later.
//
// The end. exit() may be called by any flow. The detector first lets the others come to rest (quiesce): the flow that
// ends the process keeps its OS thread and is bound to it from then on, its worker goes on in a new thread. Then, and in
// every build before exit handlers registered earlier than the runtime's start run, all workers are stopped at their next
// scheduling point; should an exit handler park, they go on, since it may wait for one of them.
#include "worker.h"

#include "context.h"
#include "panic.h"
#include "signal.h"
#include "switch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAX_DUMPED 1000
#define STOP_NS_AFTER_GRACE 100000000
#define STOP_NS_PLAIN 1000000

// --- all asleep ------------------------------------------------------------------------------------------------------------

// Threads in this process, 0 when the kernel does not tell.
static int count_threads(void)
{
    int saved = errno, n = 0;
    char text[4096];
    CSP_HOOK(ignore_begin);
    int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        ssize_t size = read(fd, text, sizeof text - 1);
        close(fd);
        text[size > 0 ? size : 0] = '\0';
        const char *line = strstr(text, "\nThreads:");
        if (line)
            n = (int)strtol(line + 9, NULL, 10);
    }
    CSP_HOOK(ignore_end);
    errno = saved;
    return n;
}

struct dump {
    csp_co *cos[MAX_DUMPED];
    size_t n;
    size_t left_out;
};

static bool note_parked(csp_co *co, void *arg)
{
    struct dump *d = arg;
    if (co->state != CO_PARKED)
        return true;
    if (d->n < MAX_DUMPED)
        d->cos[d->n++] = co;
    else
        d->left_out++;
    return true;
}

static int compare_ids(const void *a, const void *b)
{
    uint64_t x = (*(csp_co *const *)a)->id, y = (*(csp_co *const *)b)->id;
    return (x > y) - (x < y);
}

static void dump_parked(csp_co *co)
{
    cspi_say("\ncoroutine %llu [%s]:\n", (unsigned long long)co->id, cspi_co_status(co));
    if (CSP_HOOK_VALUE(print_stack_of, false, co->task))
        return;
    cspi_worker *w = cspi_worker_self();
    if (w && !co->bound) // another thread's stack cannot be walked from here
        cspi_worker_dump(w, co);
}

__attribute__((noreturn)) static void end_all_asleep(bool none_left)
{
    cspi_end_claim();
    if (none_left)
        cspi_say("fatal error: no coroutines (main called csp_exit) - deadlock!\n");
    else
        cspi_say("fatal error: all coroutines are asleep - deadlock!\n");
    static struct dump d; // too big for a stack; only one thread ends the process
    cspi_co_each(note_parked, &d);
    qsort(d.cos, d.n, sizeof *d.cos, compare_ids);
    for (size_t i = 0; i < d.n; i++)
        dump_parked(d.cos[i]);
    if (d.left_out)
        cspi_say("\n... and %zu more\n", d.left_out);
    cspi_end_process();
}

static int64_t count_live(void)
{
    int64_t n = csp_load_rlx(&cspi_sched.live_unowned); // relaxed: nobody runs
    for (int i = 0; i < cspi_sched.n_max; i++)
        n += csp_load_rlx(&cspi_sched.workers[i]->live);
    return n;
}

static bool all_workers_idle_locked(void)
{
    return cspi_sched.n_idle == cspi_sched.n_started && cspi_sched.n_global == 0;
}

void cspi_rest_check_locked(void)
{
    cspi_sched.recheck = false;
    if (!all_workers_idle_locked())
        return;
    if (csp_load_acq(&cspi_sched.quiescing)) {
        csp_add_seq(&cspi_sched.rest_event, 1u);
        cspi_futex_wake(&cspi_sched.rest_event, 1);
        return;
    }
    // relaxed: whoever could change it is asleep, or has not yet parked and checks later
    if (csp_load_rlx(&cspi_sched.stopping) || csp_load_rlx(&cspi_sched.n_bound_running) > 0 || cspi_timers_may_wake() ||
        cspi_signals_may_wake())
        return;
    if (count_threads() >
        cspi_sched.n_started + cspi_sched.n_bound + cspi_fiber_tool_threads() + cspi_signals_threads()) {
        cspi_sched.recheck = true;
        // One that sleeps already would not look again: it comes round here, and then knows.
        cspi_worker_send_looking(cspi_idle_take_keeper_locked());
        return;
    }
    bool none_left = csp_load_acq(&cspi_sched.main_ended) && count_live() <= 0;
    cspi_lock_release(&cspi_sched.lock);
    end_all_asleep(none_left);
}

// --- stopping ---------------------------------------------------------------------------------------------------------------

void cspi_rest_halt(cspi_worker *w)
{
    if (w->spinning) {
        w->spinning = false;
        csp_add_seq(&cspi_sched.n_spinning, -1);
    }
    csp_add_seq(&cspi_sched.n_halted, 1u);
    while (csp_load_acq(&cspi_sched.stopping))
        cspi_futex_wait(&cspi_sched.stopping, 1, CSPI_FOREVER);
    csp_add_seq(&cspi_sched.n_halted, (uint32_t)-1);
}

// Workers stop at their next scheduling point; waits for that up to limit_ns, since a coroutine may compute for ever.
static void stop_workers(cspi_worker *exempt, int64_t limit_ns)
{
    csp_store_rlx(&cspi_sched.exempt, exempt); // relaxed: only the exempt one's own thread acts on it
    csp_store_seq(&cspi_sched.stopping, 1u);
    for (int64_t until = cspi_now() + limit_ns;;) {
        cspi_lock_acquire(&cspi_sched.lock);
        int at_work = cspi_sched.n_started - cspi_sched.n_idle - (int)csp_load_seq(&cspi_sched.n_halted) -
                      (exempt && !exempt->idle);
        cspi_lock_release(&cspi_sched.lock);
        if (at_work <= 0 || cspi_now() >= until)
            return;
        struct timespec nap = {0, 50000};
        syscall(SYS_nanosleep, &nap, NULL);
    }
}

void cspi_rest_resume(void)
{
    csp_store_rlx(&cspi_sched.exempt, (cspi_worker *)NULL); // relaxed: as in stop_workers
    csp_store_seq(&cspi_sched.stopping, 0u);
    cspi_futex_wake(&cspi_sched.stopping, CSPI_MAX_WORKERS);
    cspi_wake_one();
}

void cspi_rest_at_exit(void)
{
    if (!csp_load_rlx(&cspi_sched.stopping)) // relaxed: set by this thread if at all
        stop_workers(cspi_worker_self(), STOP_NS_PLAIN);
}

#if CSP_HOOKS
// --- the detector's view ---------------------------------------------------------------------------------------------------

// The calling flow keeps this thread and blocks it from now on when it parks; its worker goes on in a new thread.
static void leave_worker(void)
{
    cspi_worker *w = cspi_worker_self();
    if (!w)
        return;
    csp_co *co = w->current;
    co->bound = true;
    cspi_lock_acquire(&cspi_sched.lock);
    cspi_sched.n_bound++;
    csp_add_rlx(&cspi_sched.n_bound_running, 1); // relaxed: under the lock
    cspi_lock_release(&cspi_sched.lock);
    w->current = NULL;
    cspi_worker_set_self(NULL);
    cspi_foreign_set_self(co);
    cspi_worker_spawn(w);
}

static bool is_at_rest(int64_t deadline)
{
    cspi_lock_acquire(&cspi_sched.lock);
    bool all_idle = all_workers_idle_locked();
    cspi_lock_release(&cspi_sched.lock);
    return all_idle && cspi_timers_earliest_lively() > deadline;
}

static bool quiesce(int64_t grace_ns)
{
    leave_worker();
    int64_t deadline = cspi_now() + grace_ns;
    csp_store_seq(&cspi_sched.quiescing, true);
    bool at_rest;
    for (;;) {
        uint32_t seen = csp_load_seq(&cspi_sched.rest_event);
        at_rest = is_at_rest(deadline);
        if (at_rest || cspi_now() >= deadline)
            break;
        cspi_futex_wait(&cspi_sched.rest_event, seen, deadline);
    }
    stop_workers(NULL, STOP_NS_AFTER_GRACE);
    csp_store_seq(&cspi_sched.quiescing, false);
    return at_rest;
}

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

static bool view_one(csp_co *co, void *arg)
{
    const struct visit *v = arg;
    csp_co_view view = {.id = co->id, .task = co->task, .op = CSP_WAIT_NONE, .is_main = co->kind == CO_MAIN};
    if (co->state == CO_PARKED) {
        const cspi_wait *w = co->wait;
        view.parked = true;
        view.op = w->op;
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
    v->fn(&view, v->arg);
    return true;
}

static void each(void (*fn)(const csp_co_view *view, void *arg), void *arg)
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

static size_t count(void)
{
    return (size_t)count_live();
}

static const csp_runtime_view view_of_runtime = {count, cspi_now, quiesce, each};

void cspi_rest_publish_view(void)
{
    cspi_runtime_view = &view_of_runtime;
}
#else
void cspi_rest_publish_view(void)
{
}
#endif
