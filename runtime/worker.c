// worker.c - a worker's loop: run a coroutine, do what it asked for, find the next.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Order of looking: due timers; every 61st time the global queue, so that two coroutines that wake each other cannot
// starve it; the one made ready last (it shares the cache with its waker), at most NEXT_STREAK times in a row for the same
// reason; the own ring; the global queue; the other workers' rings.
// The protocol W1..I3 stands in worker.h; idling and waking are idle.c's.
// See: docs/architecture.md (idle protocol); Go's findRunnable, schedule
#include "worker.h"

#include "control.h"
#include "csp/go.h"
#include "panic.h"
#include "poll.h"
#include "switch.h"

#include <errno.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define GLOBAL_EVERY 61u
#define NEXT_STREAK 64u
#define TIMERS_EVERY 8u // a clock reading costs as much as a third of a switch
#define CLOCK_EVERY 64u // a multiple of it
#define STEAL_ROUNDS 4
// Who has not scheduled for so long computes. Checked, all that a coroutine does takes longer, and one that is taken away too early
// leaves its shadow behind in the other core's cache.
#define STEAL_NEXT_NAP_NS (CSP_HOOKS ? 400000 : 20000)

cspi_sched_state cspi_sched;

static __thread cspi_worker *tls_worker __attribute__((tls_model("initial-exec")));
static __thread csp_co *tls_foreign __attribute__((tls_model("initial-exec")));

// The empty asm keeps a compiler from inferring that these are pure and merging two calls around a switch.
__attribute__((noinline)) cspi_worker *cspi_worker_self(void)
{
    __asm__ volatile("" ::: "memory");
    return tls_worker;
}

__attribute__((noinline)) void cspi_worker_set_self(cspi_worker *w)
{
    tls_worker = w;
}

__attribute__((noinline)) csp_co *cspi_foreign_self(void)
{
    __asm__ volatile("" ::: "memory");
    return tls_foreign;
}

__attribute__((noinline)) void cspi_foreign_set_self(csp_co *co)
{
    tls_foreign = co;
}

// --- queues --------------------------------------------------------------------------------------------------------------

void cspi_global_append_locked(csp_co *co)
{
    co->link = NULL;
    if (cspi_sched.global_tail)
        cspi_sched.global_tail->link = co;
    else
        cspi_sched.global_head = co;
    cspi_sched.global_tail = co;
    csp_store_rlx(&cspi_sched.n_global, cspi_sched.n_global + 1); // relaxed: under the lock; W2 orders it for idlers
}

void cspi_global_push(csp_co *co)
{
    cspi_lock_acquire(&cspi_sched.lock);
    cspi_global_append_locked(co);
    cspi_lock_release(&cspi_sched.lock);
}

void cspi_worker_push(cspi_worker *w, csp_co *co)
{
    csp_co *spill[CSPI_RUNQ_SPILL];
    size_t n = cspi_runq_push(&w->runq, co, spill);
    if (__builtin_expect(n == 0, 1))
        return;
    cspi_lock_acquire(&cspi_sched.lock);
    for (size_t i = 0; i < n; i++)
        cspi_global_append_locked(spill[i]);
    cspi_lock_release(&cspi_sched.lock);
}

void cspi_worker_push_next(cspi_worker *w, csp_co *co)
{
    csp_co *replaced = cspi_runq_put_next(&w->runq, co);
    if (replaced)
        cspi_worker_push(w, replaced);
}

void cspi_worker_drain_locked(cspi_worker *w)
{
    csp_co *co;
    while ((co = cspi_runq_pop(&w->runq)) || (co = cspi_runq_take_next(&w->runq)))
        cspi_global_append_locked(co);
}

static csp_co *global_pop_locked(void)
{
    csp_co *co = cspi_sched.global_head;
    if (!co)
        return NULL;
    cspi_sched.global_head = co->link;
    if (!co->link)
        cspi_sched.global_tail = NULL;
    csp_store_rlx(&cspi_sched.n_global, cspi_sched.n_global - 1); // relaxed: under the lock
    return co;
}

// One from the global queue to run, and up to `more` to w's ring, but no more than a fair share.
static csp_co *take_global(cspi_worker *w, int more)
{
    if (csp_load_rlx(&cspi_sched.n_global) == 0) // relaxed: a hint; idling looks again under the lock
        return NULL;
    cspi_lock_acquire(&cspi_sched.lock);
    int share = cspi_sched.n_global / cspi_sched.n_procs;
    csp_co *co = global_pop_locked();
    csp_co *batch[CSPI_RUNQ_CAP / 2];
    int n = 0;
    while (n < share && n < more && (batch[n] = global_pop_locked()))
        n++;
    cspi_lock_release(&cspi_sched.lock);
    for (int i = 0; i < n; i++)
        cspi_worker_push(w, batch[i]);
    if (n)
        cspi_wake_one(); // a worker that looked while they were in neither queue may have gone idle
    return co;
}

static csp_co *take_local(cspi_worker *w)
{
    csp_co *co;
    if (w->tick % GLOBAL_EVERY == 0 && (co = take_global(w, 0)))
        return co;
    if (w->next_streak < NEXT_STREAK && (co = cspi_runq_take_next(&w->runq))) {
        w->next_streak++;
        return co;
    }
    w->next_streak = 0;
    co = cspi_runq_pop(&w->runq);
    return co ? co : cspi_runq_take_next(&w->runq);
}

// --- finding work ----------------------------------------------------------------------------------------------------------

static int gcd(int a, int b)
{
    while (b) {
        int r = a % b;
        a = b;
        b = r;
    }
    return a;
}

// Runnext of a worker that has not scheduled for a while: its coroutine computes, the one it made ready waits in vain.
// One that schedules is left alone: ping-pong over a channel is fastest on one core.
static csp_co *steal_next(cspi_worker *victim)
{
    uint64_t tick = csp_load_rlx(&victim->tick); // relaxed: a hint
    if (!csp_load_rlx(&victim->runq.next))       // relaxed: a hint
        return NULL;
    struct timespec nap = {0, STEAL_NEXT_NAP_NS};
    syscall(SYS_nanosleep, &nap, NULL);
    return csp_load_rlx(&victim->tick) == tick ? cspi_runq_take_next(&victim->runq) : NULL;
}

static csp_co *steal_once(cspi_worker *w, bool next_too)
{
    int n = csp_load_rlx(&cspi_sched.n_started); // relaxed: workers started meanwhile have nothing yet
    int step = 1 + (int)(cspi_random() % (uint32_t)n);
    while (gcd(step, n) != 1)
        step = step % n + 1;
    for (int i = (int)(cspi_random() % (uint32_t)n), left = n; left > 0; left--, i = (i + step) % n) {
        cspi_worker *victim = cspi_sched.workers[i];
        if (victim == w)
            continue;
        csp_co *co = cspi_runq_steal(&victim->runq, &w->runq);
        if (!co && next_too)
            co = steal_next(victim);
        if (co)
            return co;
    }
    return NULL;
}

static csp_co *steal(cspi_worker *w)
{
    if (!w->spinning) {
        // At most half of those at work may spin: relaxed, only a throttle.
        if (2 * csp_load_rlx(&cspi_sched.n_spinning) >= csp_load_rlx(&cspi_sched.n_working))
            return NULL;
        cspi_start_spinning(w);
    }
    for (int round = 1; round <= STEAL_ROUNDS; round++) {
        csp_co *co = steal_once(w, round == STEAL_ROUNDS);
        if (co) {
            csp_store_rlx(&w->steals, w->steals + 1); // relaxed: statistics
            return co;
        }
    }
    return NULL;
}

bool cspi_work_waits(void)
{
    if (csp_load_rlx(&cspi_sched.n_global)) // relaxed: after I2
        return true;
    int n = csp_load_rlx(&cspi_sched.n_started);
    for (int i = 0; i < n; i++)
        if (!cspi_runq_is_empty(&cspi_sched.workers[i]->runq))
            return true;
    return false;
}

void cspi_timers_run_due(cspi_worker *w)
{
    if (cspi_timers_earliest() == INT64_MAX)
        return;
    int64_t now = cspi_now();
    if (cspi_timers_earliest() <= now)
        cspi_timers_run(now, &w->firing);
}

// Due timers, and the time for who only wants to know how long somebody has been parked: a clock reading costs as much as
// a third of a switch, so parking takes the worker's.
static void look_at_clock(cspi_worker *w)
{
    if (w->tick % CLOCK_EVERY == 0)
        w->clock_ns = cspi_now();
    cspi_timers_run_due(w);
}

static csp_co *find_work(cspi_worker *w)
{
#if CSP_HOOKS
    if (CSPI_CONTROLLED())
        return cspi_control_find(w);
#endif
    for (;;) {
        if (__builtin_expect(csp_load_acq(&cspi_sched.stopping) != 0, 0) && w != csp_load_rlx(&cspi_sched.exempt))
            cspi_rest_halt(w);
        if (__builtin_expect(csp_load_rlx(&cspi_sched.n_surplus) != 0, 0)) // relaxed: a hint
            cspi_idle_retire(w);
        if (w->tick % TIMERS_EVERY == 0)
            look_at_clock(w);
        csp_co *co = take_local(w);
        if (co)
            return co;
        cspi_timers_run_due(w);
        if ((co = take_local(w)) || (co = take_global(w, CSPI_RUNQ_CAP / 2)))
            return co;
        // relaxed: a hint; who idles looks again
        if (csp_load_rlx(&cspi_poll_waiting) > 0 && cspi_poll_now() && (co = take_local(w)))
            return co;
        if ((co = steal(w)))
            return co;
        if (cspi_stack_trim())
            continue;
        cspi_idle_wait(w);
        w->clock_ns = cspi_now();
    }
}

// --- running ---------------------------------------------------------------------------------------------------------------

static void do_request(cspi_worker *w, csp_co *co)
{
    switch (w->request) {
    case REQUEST_PARK:
        cspi_co_set_state(co, CO_RUNNING, CO_PARKED);
        csp_store_rlx(&w->parks, w->parks + 1); // relaxed: statistics
        if (CSPI_CONTROLLED())
            CSP_HOOK(co_parks, co->task);
        w->release(w->release_arg);                                     // from here on another worker may run co
        if (__builtin_expect(w == csp_load_rlx(&cspi_sched.exempt), 0)) // relaxed: set by w's own thread
            cspi_rest_resume();                                         // an exit handler waits for somebody
        break;
    case REQUEST_YIELD:
        cspi_co_set_state(co, CO_RUNNING, CO_RUNNABLE);
        if (CSPI_CONTROLLED())
            break; // can it go on, and when? control.h
        // What runs next from the ring was there before co, so that thieves never see the ring empty in between, and nobody
        // need be woken. What comes from elsewhere leaves co to be stolen.
        cspi_worker_push(w, co);
        if (csp_load_rlx(&w->runq.next) || csp_load_rlx(&cspi_sched.n_global)) // relaxed: a hint; who adds to it wakes
            cspi_wake_one();
        break;
    case REQUEST_REQUEUE:
        cspi_co_set_state(co, CO_RUNNING, CO_RUNNABLE);
        cspi_global_push(co);
        cspi_wake_one();
        break;
    default:
        cspi_co_set_state(co, CO_RUNNING, CO_FREE);
        if (co->kind != CO_COROUTINE)
            break;
        cspi_fiber_fini(&co->fiber);
        cspi_stack_put(&w->stacks, co);
    }
}

// Until it asks for something. Inlined: a call here would stand between the coroutines' calls in the processor's stack of
// return predictions, and each of their returns after a switch would miss (a yield takes 40 ns instead of 18).
__attribute__((always_inline)) static inline void switch_to_co(cspi_worker *w, csp_co *co)
{
    cspi_fiber_leave(&w->loop, &co->fiber, false);
    cspi_switch(&w->sched_sp, co->sp);
    cspi_fiber_arrive(&w->loop, &co->fiber);
}

static void came_back(cspi_worker *w, csp_co *co)
{
    while (__builtin_expect(w->request == REQUEST_CALL, 0)) {
        if (cspi_blocking_run(w, co))
            switch_to_co(w, co);
        else
            w->request = REQUEST_REQUEUE;
    }
    co->saved_errno = errno;
    w->current = NULL;
    do_request(w, co);
}

// Somebody looks at all coroutines: this one is not yet running.
__attribute__((noinline, cold)) static void hold(cspi_worker *w, csp_co *co)
{
    w->current = NULL;
    cspi_co_set_state(co, CO_RUNNING, CO_RUNNABLE);
    cspi_rest_halt(w);
    cspi_co_set_state(co, CO_RUNNABLE, CO_RUNNING);
    w->current = co;
}

static void run(cspi_worker *w, csp_co *co)
{
    cspi_co_set_state(co, CO_RUNNABLE, CO_RUNNING); // R1 (rest.c)
    csp_store_rlx(&w->tick, w->tick + 1);           // relaxed: a hint for thieves
    w->current = co;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);                                              // R2
    while (__builtin_expect(csp_load_rlx(&cspi_sched.stopping) & CSPI_STOP_TO_LOOK, 0)) { // R3
        hold(w, co);
        __atomic_signal_fence(__ATOMIC_SEQ_CST); // R2
    }
    CSP_HOOK(task_enter, co->task);
    // This loop's stack never changes its OS thread, so errno here is this thread's before and after the switch.
    errno = co->saved_errno;
    switch_to_co(w, co);
    came_back(w, co);
}

void cspi_worker_loop(void)
{
    cspi_worker *w = cspi_worker_self();
    if (w->current) { // main's loop: it starts with main's first switch
        cspi_fiber_arrive(&w->loop, &w->current->fiber);
        came_back(w, w->current);
    }
    for (;;) {
        csp_co *co = find_work(w);
        if (w->spinning)
            cspi_stop_spinning(w);
        run(w, co);
    }
}
