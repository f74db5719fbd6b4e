// worker.c - a worker's loop: run a coroutine, do what it asked for, find the next, idle when there is none.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Order of looking: due timers; every 61st time the global queue, so that two coroutines that wake each other cannot
// starve it; the one made ready last (it shares the cache with its waker), at most NEXT_STREAK times in a row for the same
// reason; the own ring; the global queue; the other workers' rings.
// Few workers spin (search others' queues), and whoever stops spinning because it found work wakes the next: one at a time,
// so that a burst of work wakes as many as it needs and a trickle wakes one. The protocol W1..I3 stands in worker.h.
// Ordering:  K1 kick: store-release of wake -> load-acquire by the idle worker; carries `spinning`
// See: docs/architecture.md (idle protocol); Go's findRunnable, wakep, resetspinning
#include "worker.h"

#include "csp/go.h"
#include "panic.h"
#include "switch.h"

#include <errno.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define GLOBAL_EVERY 61u
#define NEXT_STREAK 64u
#define TIMERS_EVERY 8u // a clock reading costs as much as a third of a switch
#define STEAL_ROUNDS 4
#define STEAL_NEXT_NAP_NS 20000
#define RECHECK_NS 20000000 // all asleep but for threads unknown to us

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

static void global_append_locked(csp_co *co)
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
    global_append_locked(co);
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
        global_append_locked(spill[i]);
    cspi_lock_release(&cspi_sched.lock);
}

void cspi_worker_push_next(cspi_worker *w, csp_co *co)
{
    csp_co *replaced = cspi_runq_put_next(&w->runq, co);
    if (replaced)
        cspi_worker_push(w, replaced);
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
    int share = cspi_sched.n_global / cspi_sched.n_limit;
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

// --- waking -----------------------------------------------------------------------------------------------------------------

// Takes a started idle worker or starts the next; NULL: all are at work. Its `spinning` is set, n_spinning is the caller's.
static cspi_worker *take_available(bool *is_new)
{
    cspi_lock_acquire(&cspi_sched.lock);
    cspi_worker *w = cspi_idle_take_locked();
    *is_new = !w && cspi_sched.n_started < cspi_sched.n_limit;
    if (*is_new) {
        w = cspi_sched.workers[cspi_sched.n_started];
        csp_store_rlx(&cspi_sched.n_started, cspi_sched.n_started + 1); // relaxed: under the lock; thieves only look
        csp_store_rlx(&cspi_sched.n_available, cspi_sched.n_available - 1); // relaxed: under the lock; W2 for lookers
        w->spinning = true;
    }
    cspi_lock_release(&cspi_sched.lock);
    return w;
}

__attribute__((noinline)) static void wake_one_slow(void)
{
    do {
        int none = 0;
        if (!csp_cas_seq(&cspi_sched.n_spinning, &none, 1))
            return; // that one finds the work
        bool is_new;
        cspi_worker *w = take_available(&is_new);
        if (w && !is_new)
            cspi_worker_kick(w);
        if (w && (!is_new || cspi_worker_spawn(w)))
            return;
        // Nobody to wake. Who pushed meanwhile relied on our count of 1, so look again after taking it back.
        csp_add_seq(&cspi_sched.n_spinning, -1);
        csp_fence_seq();
    } while (csp_load_rlx(&cspi_sched.n_available) > 0); // relaxed: after the fence
}

void cspi_wake_one(void)
{
    csp_fence_seq(); // W2
    // W3. relaxed: after the fence
    if (csp_load_rlx(&cspi_sched.n_available) == 0 || csp_load_rlx(&cspi_sched.n_spinning) != 0)
        return;
    wake_one_slow();
}

static void start_spinning(cspi_worker *w)
{
    w->spinning = true;
    csp_add_seq(&cspi_sched.n_spinning, 1);
}

// w has found work: if nobody else looks for more, somebody should.
static void stop_spinning(cspi_worker *w)
{
    w->spinning = false;
    if (csp_add_seq(&cspi_sched.n_spinning, -1) == 1)
        cspi_wake_one();
}

// --- the idle list; callers hold cspi_sched.lock -------------------------------------------------------------------------

static void idle_put_locked(cspi_worker *w)
{
    w->idle = true;
    if (!cspi_sched.keeper) {
        cspi_sched.keeper = w;
        cspi_sched.keeper_until = CSPI_FOREVER; // until it has looked: a timer started now kicks it
    } else {
        w->idle_link = cspi_sched.idle;
        cspi_sched.idle = w;
    }
    cspi_sched.n_idle++;
    csp_store_rlx(&cspi_sched.n_available, cspi_sched.n_available + 1); // relaxed: I2 follows
}

static void idle_remove_locked(cspi_worker *w)
{
    if (cspi_sched.keeper == w) {
        cspi_sched.keeper = NULL;
    } else {
        cspi_worker **link = &cspi_sched.idle;
        while (*link != w)
            link = &(*link)->idle_link;
        *link = w->idle_link;
    }
    w->idle = false;
    w->spinning = true;
    cspi_sched.n_idle--;
    csp_store_rlx(&cspi_sched.n_available, cspi_sched.n_available - 1); // relaxed: under the lock
}

cspi_worker *cspi_idle_take_locked(void)
{
    cspi_worker *w = cspi_sched.idle ? cspi_sched.idle : cspi_sched.keeper;
    if (w)
        idle_remove_locked(w);
    return w;
}

cspi_worker *cspi_idle_take_keeper_locked(void)
{
    cspi_worker *w = cspi_sched.keeper;
    if (!w || w == cspi_worker_self())
        return NULL;
    idle_remove_locked(w);
    return w;
}

void cspi_worker_send_looking(cspi_worker *keeper)
{
    if (!keeper)
        return;
    csp_add_seq(&cspi_sched.n_spinning, 1);
    cspi_worker_kick(keeper);
}

void cspi_worker_kick(cspi_worker *w)
{
    csp_store_rel(&w->wake, 1u); // K1
    cspi_futex_wake(&w->wake, 1);
}

void cspi_worker_timer_earlier(int64_t when_ns)
{
    cspi_worker *me = cspi_worker_self();
    cspi_lock_acquire(&cspi_sched.lock);
    // If the keeper goes idle only after this section, it reads the new instant itself: it was stored before.
    cspi_worker *keeper = cspi_sched.keeper;
    bool kick = keeper && when_ns < cspi_sched.keeper_until;
    if (kick)
        idle_remove_locked(keeper);
    // Nobody idles, and the caller may compute for long: one more worker comes to look after the timer.
    bool start = !keeper && (!me || me->current);
    cspi_lock_release(&cspi_sched.lock);
    if (kick)
        cspi_worker_send_looking(keeper);
    else if (start)
        cspi_wake_one();
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
    uint32_t tick = csp_load_rlx(&victim->tick); // relaxed: a hint
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
        int at_work = csp_load_rlx(&cspi_sched.n_limit) - csp_load_rlx(&cspi_sched.n_available);
        if (2 * csp_load_rlx(&cspi_sched.n_spinning) >= at_work)
            return NULL;
        start_spinning(w);
    }
    for (int round = 1; round <= STEAL_ROUNDS; round++) {
        csp_co *co = steal_once(w, round == STEAL_ROUNDS);
        if (co)
            return co;
    }
    return NULL;
}

static bool any_work(void)
{
    if (csp_load_rlx(&cspi_sched.n_global)) // relaxed: after I2
        return true;
    int n = csp_load_rlx(&cspi_sched.n_started);
    for (int i = 0; i < n; i++)
        if (!cspi_runq_is_empty(&cspi_sched.workers[i]->runq))
            return true;
    return false;
}

// Leaves the idle list by itself, spinning; false: somebody has taken it off already and kicks it.
static bool leave_idle(cspi_worker *w)
{
    cspi_lock_acquire(&cspi_sched.lock);
    bool left = w->idle;
    if (left)
        idle_remove_locked(w);
    cspi_lock_release(&cspi_sched.lock);
    if (left)
        csp_add_seq(&cspi_sched.n_spinning, 1);
    return left;
}

// How long to sleep: the keeper until the next timer, others until kicked.
static int64_t idle_until(const cspi_worker *w)
{
    int64_t until = CSPI_FOREVER;
    cspi_lock_acquire(&cspi_sched.lock);
    if (cspi_sched.keeper == w) {
        until = cspi_timers_earliest();
        int64_t trim = cspi_stack_trim_due();
        until = trim < until ? trim : until;
        cspi_sched.keeper_until = until;
        if (cspi_sched.recheck) {
            int64_t soon = cspi_now() + RECHECK_NS;
            until = soon < until ? soon : until;
        }
    }
    cspi_lock_release(&cspi_sched.lock);
    return until;
}

static void sleep_until_kicked(cspi_worker *w)
{
    while (!csp_load_acq(&w->wake)) { // K1
        int64_t until = idle_until(w);
        if (!cspi_futex_wait(&w->wake, 0, until) && leave_idle(w))
            return;
    }
    csp_store_rlx(&w->wake, 0u); // relaxed: kicked once per stay on the list
}

// Returns when there may be work again.
static void go_idle(cspi_worker *w)
{
    bool was_spinning = w->spinning;
    w->spinning = false; // before I1: who takes us off the list sets it
    cspi_lock_acquire(&cspi_sched.lock);
    if (cspi_sched.n_global) {
        w->spinning = was_spinning;
        cspi_lock_release(&cspi_sched.lock);
        return;
    }
    idle_put_locked(w); // I1
    cspi_lock_release(&cspi_sched.lock);
    if (was_spinning)
        csp_add_seq(&cspi_sched.n_spinning, -1); // I1
    csp_fence_seq();                             // I2
    if (any_work() && leave_idle(w))             // I3
        return;
    cspi_lock_acquire(&cspi_sched.lock);
    if (w->idle)
        cspi_rest_check_locked();
    cspi_lock_release(&cspi_sched.lock);
    sleep_until_kicked(w);
}

static void run_due_timers(cspi_worker *w)
{
    if (cspi_timers_earliest() == INT64_MAX)
        return;
    int64_t now = cspi_now();
    if (cspi_timers_earliest() <= now)
        cspi_timers_run(now, &w->firing);
}

static csp_co *find_work(cspi_worker *w)
{
    for (;;) {
        if (__builtin_expect(csp_load_acq(&cspi_sched.stopping) != 0, 0) && w != csp_load_rlx(&cspi_sched.exempt))
            cspi_rest_halt(w);
        if (w->tick % TIMERS_EVERY == 0)
            run_due_timers(w);
        csp_co *co = take_local(w);
        if (co)
            return co;
        run_due_timers(w);
        if ((co = take_local(w)) || (co = take_global(w, CSPI_RUNQ_CAP / 2)))
            return co;
        // The netpoller's place: descriptors that are ready, without blocking.
        if ((co = steal(w)))
            return co;
        if (cspi_stack_trim())
            continue;
        go_idle(w);
    }
}

// --- running ---------------------------------------------------------------------------------------------------------------

static void do_request(cspi_worker *w, csp_co *co)
{
    switch (w->request) {
    case REQUEST_PARK:
        cspi_co_set_state(co, CO_RUNNING, CO_PARKED);
        w->release(w->release_arg);                                     // from here on another worker may run co
        if (__builtin_expect(w == csp_load_rlx(&cspi_sched.exempt), 0)) // relaxed: set by w's own thread
            cspi_rest_resume();                                         // an exit handler waits for somebody
        break;
    case REQUEST_YIELD:
        cspi_co_set_state(co, CO_RUNNING, CO_RUNNABLE);
        // What runs next from the ring was there before co, so that thieves never see the ring empty in between, and nobody
        // need be woken. What comes from elsewhere leaves co to be stolen.
        cspi_worker_push(w, co);
        if (csp_load_rlx(&w->runq.next) || csp_load_rlx(&cspi_sched.n_global)) // relaxed: a hint; who adds to it wakes
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

static void came_back(cspi_worker *w, csp_co *co)
{
    co->saved_errno = errno;
    w->current = NULL;
    do_request(w, co);
}

// Until it parks, yields or ends.
static void switch_to_co(cspi_worker *w, csp_co *co)
{
    cspi_fiber_leave(&w->loop, &co->fiber, false);
    cspi_switch(&w->sched_sp, co->sp);
    cspi_fiber_arrive(&w->loop, &co->fiber);
}

static void run(cspi_worker *w, csp_co *co)
{
    cspi_co_set_state(co, CO_RUNNABLE, CO_RUNNING);
    csp_store_rlx(&w->tick, w->tick + 1); // relaxed: a hint for thieves
    w->current = co;
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
            stop_spinning(w);
        run(w, co);
    }
}

void cspi_worker_dump(cspi_worker *w, csp_co *co)
{
    csp_co *current = w->current;
    void *sched_sp = w->sched_sp;
    co->dump = true;
    w->current = co;
    switch_to_co(w, co);
    co->dump = false;
    w->sched_sp = sched_sp;
    w->current = current;
}
