// start.c - the runtime's start with the first call, its threads, pthreads of the program, fork.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The main thread is worker 0: its flow becomes the main coroutine, its loop gets a stack of its own. When some other
// pthread comes first, all workers are threads of ours, and main, should it call later, blocks its thread like any other.
// Threads are started when there is work for them (worker.c), so a program that never needs a second has none.
#include "worker.h"

#include "context.h"
#include "control.h"
#include "fault.h"
#include "leak_signal.h"
#include "monitor.h"
#include "panic.h"
#include "poll.h"
#include "quit.h"
#include "signal.h"
#include "switch.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static cspi_lock start_lock;
static pthread_key_t foreign_key;

static int count_cores(void)
{
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : (int)sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > CSPI_MAX_WORKERS ? CSPI_MAX_WORKERS : n;
}

static int read_maxprocs(void)
{
    int cores = count_cores();
    const char *text = getenv("CSP_MAXPROCS");
    if (!text || !*text)
        return cores;
    char *end;
    errno = 0;
    long n = strtol(text, &end, 10);
    if (errno || *end || n < 1 || n > CSPI_MAX_WORKERS) {
        cspi_say("cspthread: CSP_MAXPROCS=%s is not a number from 1 to %d; using %d\n", text, CSPI_MAX_WORKERS, cores);
        return cores;
    }
    return (int)n;
}

// --- threads ---------------------------------------------------------------------------------------------------------------

static void run_loop(void *unused)
{
    (void)unused;
    cspi_worker_loop();
}

// Where the calling thread's stack begins: what the detector has to forget of it.
static void *own_stack_lo(void)
{
    void *lo = NULL;
#if CSP_HOOKS
    pthread_attr_t attr;
    size_t size;
    CSP_HOOK(ignore_begin);
    if (pthread_getattr_np(pthread_self(), &attr) == 0) {
        pthread_attr_getstack(&attr, &lo, &size);
        pthread_attr_destroy(&attr);
    }
    CSP_HOOK(ignore_end);
#endif
    return lo;
}

static void *worker_main(void *worker)
{
    cspi_worker *w = worker;
    cspi_worker_set_self(w);
    csp_store_rlx(&w->tid, (int)syscall(SYS_gettid)); // relaxed: for who only looks
    w->stack_lo = own_stack_lo();
    CSP_HOOK(worker_start);
    cspi_fault_prepare_thread();
    cspi_worker_loop();
}

static int start_detached(void *(*fn)(void *), void *arg)
{
    int saved = errno;
    CSP_HOOK(ignore_begin);
    pthread_attr_t attr;
    pthread_t thread;
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attr, CSPI_LOOP_STACK_SIZE);
    int error = pthread_create(&thread, &attr, fn, arg);
    pthread_attr_destroy(&attr);
    CSP_HOOK(ignore_end);
    errno = saved;
    return error;
}

static int own_tids[8]; // atomic

static void note_own_tid(void)
{
    for (size_t i = 0; i < sizeof own_tids / sizeof *own_tids; i++) {
        int free_place = 0;
        if (csp_cas_acqrel(&own_tids[i], &free_place, (int)syscall(SYS_gettid)))
            return;
    }
}

bool cspi_thread_is_own(int tid)
{
    for (size_t i = 0; i < sizeof own_tids / sizeof *own_tids; i++)
        if (csp_load_rlx(&own_tids[i]) == tid) // relaxed: one that is missing is one more to look at
            return true;
    return false;
}

static void *own_main(void *fn)
{
    note_own_tid();
    return (*(void *(**)(void *)) & fn)(NULL);
}

bool cspi_thread_start(void *(*fn)(void *))
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    csp_add_seq(&cspi_sched.n_own_threads, 1);
    bool started = start_detached(own_main, *(void **)&fn) == 0;
    if (!started)
        csp_add_seq(&cspi_sched.n_own_threads, -1);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

cspi_worker *cspi_worker_add_locked(void)
{
    int n = cspi_sched.n_started + 1;
    csp_store_rlx(&cspi_sched.n_started, n); // relaxed: under the lock; thieves only look
    if (n > cspi_sched.n_max)
        csp_store_rel(&cspi_sched.n_max, n); // the worker has been there, zeroed, since the start
    cspi_counts_changed_locked();
    cspi_worker *w = cspi_sched.workers[n - 1];
    w->clock_ns = cspi_now();
    w->random = (uint64_t)n * 0xd1342543de82ef95u ^ (uint64_t)w->clock_ns;
    return w;
}

// The last place is given up, so the last worker moves to this one. Who walks the workers just now may miss it once.
static void take_back_locked(const cspi_worker *w)
{
    int last = cspi_sched.n_started - 1;
    csp_store_rlx(&cspi_sched.n_started, last); // relaxed: under the lock; thieves only look
    for (int i = 0; i < last; i++)
        if (cspi_sched.workers[i] == w) {
            csp_store_rel(&cspi_sched.workers[i], cspi_sched.workers[last]);
            csp_store_rel(&cspi_sched.workers[last], (cspi_worker *)(uintptr_t)w);
        }
    cspi_sched.n_limit = last;
    cspi_counts_changed_locked();
}

bool cspi_worker_spawn(cspi_worker *w)
{
    int error = start_detached(worker_main, w);
    if (!error)
        return true;
    cspi_lock_acquire(&cspi_sched.lock);
    take_back_locked(w);
    int n = cspi_sched.n_started;
    cspi_lock_release(&cspi_sched.lock);
    if (n == 0)
        cspi_fatal("cannot start a thread: %s", strerror(error));
    cspi_say("cspthread: cannot start more than %d threads: %s\n", n, strerror(error));
    return false;
}

// --- adopting flows that we did not create ------------------------------------------------------------------------------

static void init_co(csp_co *co, uint64_t id, int kind, bool bound)
{
    co->id = id;
    co->kind = (uint8_t)kind;
    co->state = CO_RUNNING;
    co->bound = bound;
    co->task = CSP_HOOK_VALUE(task_current, NULL);
}

// The calling main thread becomes worker 0, its flow the main coroutine.
static csp_co *adopt_main(void)
{
    csp_co *co = &cspi_sched.main_co;
    init_co(co, 1, CO_MAIN, false);
    cspi_worker *w = cspi_sched.workers[0];
    char *stack = cspi_stack_map_own(CSPI_LOOP_STACK_SIZE);
    w->sched_sp = cspi_switch_prepare(stack + CSPI_LOOP_STACK_SIZE, run_loop, NULL);
    w->loop = (cspi_fiber){.lo = stack, .size = CSPI_LOOP_STACK_SIZE};
    cspi_fiber_init(&w->loop);
    w->stack_lo = stack;
    w->tid = (int)syscall(SYS_gettid);
    w->current = co;
    cspi_lock_acquire(&cspi_sched.lock);
    cspi_worker_add_locked();
    cspi_lock_release(&cspi_sched.lock);
    cspi_worker_set_self(w);
#if CSP_HOOKS
    if (CSPI_CONTROLLED())
        cspi_control_take(w, co);
#endif
    CSP_HOOK(worker_start);
    cspi_fault_prepare_thread();
    return co;
}

static void link_bound(csp_co *co)
{
    cspi_lock_acquire(&cspi_sched.lock);
    if (co->kind == CO_FOREIGN) {
        co->foreign_next = cspi_sched.foreign;
        if (cspi_sched.foreign)
            cspi_sched.foreign->foreign_prev = co;
        cspi_sched.foreign = co;
    }
    cspi_sched.n_bound++;
    csp_add_rlx(&cspi_sched.n_bound_running, 1); // relaxed: under the lock
    cspi_lock_release(&cspi_sched.lock);
}

// Main came after another pthread had started the runtime.
static csp_co *adopt_main_late(void)
{
    csp_co *co = &cspi_sched.main_co;
    init_co(co, 1, CO_MAIN, true);
    link_bound(co);
    cspi_foreign_set_self(co);
    return co;
}

static csp_co *adopt_foreign(void)
{
    CSP_HOOK(ignore_begin);
    csp_co *co = calloc(1, sizeof *co);
    CSP_HOOK(ignore_end);
    if (!co)
        cspi_fatal("out of memory: no room for a thread's coroutine");
    init_co(co, csp_add_rlx(&cspi_sched.next_id, 1), CO_FOREIGN, true); // relaxed: only has to be unique
    link_bound(co);
    cspi_foreign_set_self(co);
    pthread_setspecific(foreign_key, co);
    return co;
}

// Its place in the counts stays: the process keeps the main thread, as a zombie, until it ends itself.
void cspi_bound_main_ends(csp_co *co)
{
    cspi_co_set_state(co, CO_RUNNING, CO_FREE);
    cspi_lock_acquire(&cspi_sched.lock);
    csp_add_seq(&cspi_sched.live_unowned, -1);    // C1 of cspi_count_live
    csp_add_rlx(&cspi_sched.n_bound_running, -1); // relaxed: under the lock
    cspi_rest_check_locked();
    cspi_lock_release(&cspi_sched.lock);
}

// The thread ends (key destructor).
static void forget_foreign(void *foreign)
{
    csp_co *co = foreign;
    cspi_foreign_set_self(NULL);
    cspi_lock_acquire(&cspi_sched.lock);
    if (co->foreign_prev)
        co->foreign_prev->foreign_next = co->foreign_next;
    else
        cspi_sched.foreign = co->foreign_next;
    if (co->foreign_next)
        co->foreign_next->foreign_prev = co->foreign_prev;
    cspi_sched.n_bound--;
    csp_add_rlx(&cspi_sched.n_bound_running, -1); // relaxed: under the lock
    cspi_rest_check_locked();
    cspi_lock_release(&cspi_sched.lock);
    cspi_labels_unref(co->labels);
    CSP_HOOK(ignore_begin);
    free(co);
    CSP_HOOK(ignore_end);
}

// --- fork ------------------------------------------------------------------------------------------------------------------

static void before_fork(void)
{
    cspi_signals_fork_lock();
    cspi_contexts_lock();
    cspi_lock_acquire(&cspi_sched.lock);
    cspi_timers_fork_lock();
    cspi_stack_fork_lock();
}

static void unlock_after_fork(bool is_child)
{
    cspi_stack_fork_unlock();
    cspi_timers_fork_unlock(is_child);
    cspi_lock_release(&cspi_sched.lock);
    cspi_contexts_unlock();
    cspi_signals_fork_unlock(is_child);
}

static void after_fork_in_parent(void)
{
    unlock_after_fork(false);
}

static void clear_worker(cspi_worker *w, bool is_mine)
{
    if (!is_mine) { // its thread is gone, in the midst of something: the coroutine, and the free stacks, are lost
        w->current = NULL;
        w->stacks = (cspi_stack_cache){0};
        w->loop = (cspi_fiber){0}; // that thread's flow: the next one to run this loop brings its own
    }
    // NOLINTNEXTLINE(clang-analyzer-core.NullDereference): started workers are all there
    w->idle = w->spinning = w->stuck = w->away = false;
    w->seen_ns = 0;
    w->firing = NULL;
    w->wake = 0;
    w->created = w->ended = 0;
    w->runq.head = w->runq.tail;
    w->runq.next = NULL;
}

// As with threads, only the flow that forked goes on in the child, with one worker; the other coroutines are not there.
static void after_fork_in_child(void)
{
    cspi_sched_state *s = &cspi_sched;
    cspi_worker *away = cspi_away_self(), *w = away ? away : cspi_worker_self();
    csp_co *co = w ? w->current : cspi_foreign_self();
    for (int i = 0; i < s->n_max; i++) {
        clear_worker(s->workers[i], s->workers[i] == w);
        if (s->workers[i] == w) {
            s->workers[i] = s->workers[0];
            s->workers[0] = w;
        }
    }
    s->idle = s->keeper = s->exempt = NULL;
    s->global_head = s->global_tail = NULL;
    s->foreign = co && co->kind == CO_FOREIGN ? co : NULL;
    if (s->foreign)
        co->foreign_next = co->foreign_prev = NULL;
    s->n_bound_running = co && co->bound;
    s->n_bound = s->n_bound_running && !away;
    s->n_own_threads = 0;
    cspi_monitor_after_fork();
    cspi_poll_after_fork();
    s->n_idle = s->n_global = s->n_spinning = 0;
    s->stopping = s->n_halted = 0;
    s->quiescing = s->recheck = false;
    s->n_started = w != NULL;
    if (w)
        w->tid = (int)syscall(SYS_gettid);
    s->n_procs = 1;
    s->n_limit = CSPI_MAX_WORKERS;
    s->n_stuck = s->n_away = away != NULL;
    if (away)
        away->stuck = away->away = true;
    cspi_counts_changed_locked();
    s->live_unowned = co && co->kind != CO_FOREIGN;
    s->created_unowned = 1;
    s->first_id = s->next_id;
    s->survivor = co;
    unlock_after_fork(true);
}

// --- the start ---------------------------------------------------------------------------------------------------------------

// Address space for as many as there may ever be; what is never started costs no memory.
static void make_workers(int n)
{
    size_t size = (sizeof(cspi_worker) + 63) / 64 * 64;
    char *room = cspi_stack_map_own(CSPI_MAX_WORKERS * size);
    for (int i = 0; i < CSPI_MAX_WORKERS; i++)
        cspi_sched.workers[i] = (cspi_worker *)(void *)(room + (size_t)i * size);
    cspi_sched.n_procs = cspi_sched.n_max = n;
    cspi_sched.n_limit = CSPI_MAX_WORKERS;
    cspi_counts_changed_locked(); // nobody else is there yet
}

// Caller holds start_lock.
static void start_runtime(void)
{
    make_workers(CSPI_CONTROLLED() ? 1 : read_maxprocs());
    cspi_sched.next_id = 2;
    cspi_sched.live_unowned = 1; // main
    cspi_sched.created_unowned = 1;
    cspi_sched.started_ns = cspi_now();
    cspi_fault_install();
    cspi_quit_install();
    CSP_HOOK(ignore_begin);
    pthread_key_create(&foreign_key, forget_foreign);
    pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
    atexit(cspi_rest_at_exit);
    CSP_HOOK(ignore_end);
}

csp_co *cspi_self_slow(void)
{
    int saved = errno;
    bool is_main = syscall(SYS_gettid) == getpid();
    cspi_lock_acquire(&start_lock);
    bool is_first = !cspi_sched.started;
    if (is_first) {
        if (CSPI_CONTROLLED())
            CSP_HOOK(schedule_begin);
        start_runtime();
    }
    csp_co *co;
    if (is_main && cspi_sched.main_co.id == 0)
        co = is_first ? adopt_main() : adopt_main_late();
    else
        co = adopt_foreign();
    if (is_first) {
        cspi_rest_publish_view();
        csp_store_rel(&cspi_sched.started, true);
#if CSP_HOOKS
        if (CSPI_CONTROLLED())
            cspi_control_need_worker();
#endif
        cspi_leak_signal_start(); // it may look at once
    }
    cspi_lock_release(&start_lock);
    errno = saved;
    return co;
}
