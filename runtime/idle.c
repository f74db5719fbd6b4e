// idle.c - idle workers: the list of them, waking one for new work, sleeping until then; workers that are too many.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The protocol W1..I3 and how many may work stand in worker.h. Few workers spin (search others' queues), and whoever stops
// spinning because it found work wakes the next: one at a time, so that a burst of work wakes as many as it needs and a
// trickle wakes one.
// The keeper is the one idle worker that looks after time and descriptors: it sleeps until the next timer only, and in the
// netpoller while coroutines wait there. A worker that is
// one too many may be the keeper: it fires what is due, hands what that made runnable to the others, and sleeps again.
// Ordering:  K1 kick: store-release of wake -> load-acquire by the idle worker; carries `spinning`
//            K2 kick: stores wake, then looks whether the worker is in the netpoller; that one says so, then looks at wake
// See: docs/architecture.md (idle protocol); Go's findRunnable, wakep, resetspinning
#include "worker.h"

#include "monitor.h"
#include "poll.h"

#define RECHECK_NS 20000000 // all asleep but for threads unknown to us

void cspi_counts_changed_locked(void)
{
    cspi_sched_state *s = &cspi_sched;
    int working = s->n_started - s->n_idle - s->n_stuck;
    int room = s->n_procs - working;
    int bodies = s->n_idle + s->n_limit - s->n_started;
    int available = room < bodies ? room : bodies;
    // relaxed: under the lock; W2, I2 and what stands there in worker.h order n_available for lookers, the rest are hints
    csp_store_rlx(&s->n_available, available > 0 ? available : 0);
    csp_store_rlx(&s->n_surplus, room < 0 ? -room : 0);
    csp_store_rlx(&s->n_working, working);
    if (available <= 0)
        cspi_monitor_note_full();
}

// --- waking -----------------------------------------------------------------------------------------------------------------

// Takes a started idle worker or starts the next; NULL: none may. Its `spinning` is set, n_spinning is the caller's.
static cspi_worker *take_available(bool *is_new)
{
    cspi_lock_acquire(&cspi_sched.lock);
    *is_new = false;
    cspi_worker *w = NULL;
    if (cspi_sched.n_available > 0 && !(w = cspi_idle_take_locked())) {
        w = cspi_worker_add_locked();
        w->spinning = true;
        *is_new = true;
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
    if (CSPI_CONTROLLED())
        return;                                       // nobody is idle: control.h
    csp_fence_seq();                                  // W2
    if (csp_load_rlx(&cspi_sched.n_available) == 0) { // W3. relaxed: after the fence
        cspi_monitor_wanted();
        return;
    }
    if (csp_load_rlx(&cspi_sched.n_spinning) == 0) // W3. relaxed: after the fence
        wake_one_slow();
}

void cspi_start_spinning(cspi_worker *w)
{
    w->spinning = true;
    csp_add_seq(&cspi_sched.n_spinning, 1);
}

// w has found work: if nobody else looks for more, somebody should.
void cspi_stop_spinning(cspi_worker *w)
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
        csp_store_seq(&cspi_sched.keeper_sleep, (uint32_t)KEEPER_UNDECIDED);
    } else {
        w->idle_link = cspi_sched.idle;
        cspi_sched.idle = w;
    }
    cspi_sched.n_idle++;
    if (w->stuck) {                      // it was found to be, just before it stopped
        csp_store_rlx(&w->stuck, false); // relaxed: under the lock; atomic for the monitor, which also looks without
        cspi_sched.n_stuck--;
    }
    cspi_counts_changed_locked(); // I2 follows
}

static void idle_remove_locked(cspi_worker *w)
{
    if (cspi_sched.keeper == w) {
        cspi_sched.keeper = NULL;
        csp_store_seq(&cspi_sched.keeper_sleep, (uint32_t)KEEPER_NONE);
    } else {
        cspi_worker **link = &cspi_sched.idle;
        while (*link != w)
            link = &(*link)->idle_link;
        *link = w->idle_link;
    }
    w->idle = false;
    w->spinning = true;
    cspi_sched.n_idle--;
    cspi_counts_changed_locked();
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
    csp_store_seq(&w->wake, 1u);   // K1, K2
    if (csp_load_seq(&w->in_poll)) // K2
        cspi_poll_kick();
    else
        cspi_futex_wake(&w->wake, 1);
}

void cspi_worker_timer_earlier(int64_t when_ns)
{
    if (CSPI_CONTROLLED())
        return; // the detector looks at the timers whenever it decides
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

// The keeper hears of it, or there is one soon: the caller's own worker, if that has nothing else to do.
void cspi_idle_mind_poller(void)
{
    if (CSPI_CONTROLLED())
        return; // polled when nobody can go on
    cspi_worker *w = cspi_worker_self(), *keeper = NULL;
    switch (csp_load_seq(&cspi_sched.keeper_sleep)) { // P1 of poll.c
    case KEEPER_NONE:
        if (!w || csp_load_rlx(&cspi_sched.n_global) || !cspi_runq_is_empty(&w->runq)) // relaxed: a hint
            cspi_wake_one();
        break;
    case KEEPER_DEAF:
        cspi_lock_acquire(&cspi_sched.lock);
        if (cspi_sched.keeper_sleep == KEEPER_DEAF)
            keeper = cspi_idle_take_keeper_locked();
        cspi_lock_release(&cspi_sched.lock);
        cspi_worker_send_looking(keeper);
        break;
    default:
        break;
    }
}

// --- a worker without work ---------------------------------------------------------------------------------------------------

bool cspi_idle_leave(cspi_worker *w)
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

// The keeper is deaf to descriptors from here on, unless somebody waits for one. Caller holds cspi_sched.lock.
static bool decide_to_poll_locked(void)
{
    csp_store_seq(&cspi_sched.keeper_sleep, (uint32_t)KEEPER_DEAF); // P1
    if (csp_load_seq(&cspi_poll_waiting) <= 0)                      // P1
        return false;
    csp_store_seq(&cspi_sched.keeper_sleep, (uint32_t)KEEPER_POLLS);
    return true;
}

// How long to sleep: the keeper until the next timer, others until kicked; and whether in the netpoller.
static int64_t idle_until(const cspi_worker *w, bool *polls)
{
    int64_t until = CSPI_FOREVER;
    *polls = false;
    cspi_lock_acquire(&cspi_sched.lock);
    if (cspi_sched.keeper == w) {
        *polls = decide_to_poll_locked();
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
        bool polls, timed_out;
        int64_t until = idle_until(w, &polls);
        if (!polls)
            timed_out = !cspi_futex_wait(&w->wake, 0, until);
        else if (cspi_poll_sleep(w, until, &timed_out))
            return;
        if (timed_out && cspi_idle_leave(w))
            return;
    }
    csp_store_rlx(&w->wake, 0u); // relaxed: kicked once per stay on the list
}

void cspi_idle_wait(cspi_worker *w)
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
    if (cspi_work_waits() && cspi_idle_leave(w)) // I3
        return;
    cspi_lock_acquire(&cspi_sched.lock);
    if (w->idle)
        cspi_rest_check_locked();
    cspi_lock_release(&cspi_sched.lock);
    sleep_until_kicked(w);
}

void cspi_idle_retire(cspi_worker *w)
{
    // Before it is known that w retires: a keeper that woke for a timer comes by here.
    cspi_timers_run_due(w);
    bool was_spinning = w->spinning;
    cspi_lock_acquire(&cspi_sched.lock);
    bool retires = cspi_sched.n_surplus > 0 && w != csp_load_rlx(&cspi_sched.exempt); // relaxed: set by its own thread
    if (retires) {
        cspi_worker_drain_locked(w); // those at work take from the global queue now and then, but steal only when idle
        w->spinning = false;
        idle_put_locked(w);
    }
    cspi_lock_release(&cspi_sched.lock);
    if (!retires)
        return;
    if (was_spinning)
        csp_add_seq(&cspi_sched.n_spinning, -1); // I1
    csp_fence_seq();                             // I2
    if (cspi_work_waits())                       // I3, for whoever has relied on w's spinning
        cspi_wake_one();
    sleep_until_kicked(w);
}
