// monitor.c - the thread that notices workers which are stuck in a coroutine while others wait.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every PERIOD it looks at the workers that are at work. One whose tick has not moved for STUCK_NS is stuck when its thread
// has computed for that long, or sleeps in the kernel (a system call, a pthread mutex: not csp_blocking, which tells us
// itself). A thread that merely waits for a core is not: one more thread would only wait, too. If nothing waits, the
// worker is left alone, however long it computes. Else it is marked stuck, so that one more may work (worker.h), and its queue
// goes to the global one: those at work may never run out of work of their own, and so never come to steal it. One is
// marked at a look, so that n coroutines which compute for long get their threads one after the other.
// Once a stuck one's tick moves it counts as working again, and one worker too many retires.
// See: docs/architecture.md (the monitor); Go's sysmon and retake, which preempt where we add a thread
#include "monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define PERIOD_NS 10000000 // Go's, once it has backed off
#define STUCK_NS 10000000
#define QUIET_LOOKS 10 // so often with nothing to watch, then it sleeps

uint32_t cspi_monitor_state;

// --- a worker's thread ------------------------------------------------------------------------------------------------------

// CPU time that thread has used, in ns.
static int64_t cpu_time(int tid)
{
    struct timespec t;
    clockid_t clock = (clockid_t)(~(unsigned)tid << 3 | 6u); // as pthread_getcpuclockid makes it of a pthread_t
    if (syscall(SYS_clock_gettime, clock, &t) != 0)
        return 0;
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

// It neither runs nor waits for a core.
static bool sleeps_in_kernel(int tid)
{
    char path[64], text[256];
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", tid);
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t size = (ssize_t)syscall(SYS_read, fd, text, sizeof text - 1);
    syscall(SYS_close, fd);
    text[size > 0 ? size : 0] = '\0';
    const char *state = strrchr(text, ')'); // the name before it may contain anything
    return state && state[1] && state[2] && state[2] != 'R';
}

// --- a look -----------------------------------------------------------------------------------------------------------------

// True: it has not scheduled for STUCK_NS. Caller holds cspi_sched.lock.
static bool note_progress_locked(cspi_worker *w, int64_t now)
{
    uint32_t tick = csp_load_rlx(&w->tick); // relaxed: a moment's value
    if (w->seen_ns && tick == w->seen_tick)
        return !w->stuck && now - w->seen_ns >= STUCK_NS;
    w->seen_tick = tick;
    w->seen_ns = now;
    w->seen_cpu_ns = cpu_time(csp_load_rlx(&w->tid)); // relaxed: 0 before its thread runs
    if (w->stuck) {
        csp_store_rlx(&w->stuck, false); // relaxed: under the lock
        cspi_sched.n_stuck--;
        cspi_counts_changed_locked();
    }
    return false;
}

static bool is_stuck(const cspi_worker *w)
{
    int tid = csp_load_rlx(&w->tid); // relaxed: it has long run
    return cpu_time(tid) - w->seen_cpu_ns >= STUCK_NS || sleeps_in_kernel(tid);
}

// Takes the queue of a worker that does not look at it. Under the lock: what is in our hands is in no queue, and the monitor counts
// for nobody, so whoever looked meanwhile would find all asleep (rest.c).
static void drain(cspi_worker *w)
{
    static cspi_runq taken; // too big for locals, and only the monitor comes here
    csp_co *co;
    cspi_lock_acquire(&cspi_sched.lock);
    while ((co = cspi_runq_steal(&w->runq, &taken)) || (co = cspi_runq_take_next(&w->runq)))
        do
            cspi_global_append_locked(co);
        while ((co = cspi_runq_pop(&taken)));
    cspi_lock_release(&cspi_sched.lock);
}

// Unless it has gone on since.
static bool mark_stuck(cspi_worker *w)
{
    cspi_lock_acquire(&cspi_sched.lock);
    bool marked = !w->idle && !w->stuck && csp_load_rlx(&w->tick) == w->seen_tick; // relaxed: a moment's value
    if (marked) {
        csp_store_rlx(&w->stuck, true); // relaxed: under the lock
        cspi_sched.n_stuck++;
        csp_store_rlx(&cspi_sched.handovers, cspi_sched.handovers + 1); // relaxed: under the lock; statistics
        cspi_counts_changed_locked();
    }
    cspi_lock_release(&cspi_sched.lock);
    return marked;
}

static bool waits(int64_t now)
{
    return cspi_work_waits() || cspi_timers_earliest() <= now;
}

static void make_room(int n)
{
    for (int i = 0; i < n; i++) {
        cspi_worker *w = cspi_sched.workers[i];
        if (!w->suspect || !is_stuck(w) || !mark_stuck(w))
            continue;
        drain(w);
        cspi_wake_one();
        return;
    }
}

// Work waits, or may come by time, and only the monitor can see to it that somebody takes it; or it has to see when a stuck
// worker is back.
static bool is_needed(void)
{
    cspi_lock_acquire(&cspi_sched.lock);
    bool full = cspi_sched.n_available == 0;
    bool needed = cspi_sched.n_stuck > cspi_sched.n_away || (full && cspi_nobody_keeps_locked());
    cspi_lock_release(&cspi_sched.lock);
    return needed || (full && cspi_work_waits());
}

static void look(void)
{
    int64_t now = cspi_now();
    // relaxed: hints. Workers poll when they run out of work, which busy ones may not do for long.
    if (csp_load_rlx(&cspi_poll_waiting) > 0 && csp_load_rlx(&cspi_sched.keeper_sleep) != KEEPER_POLLS)
        cspi_poll_now();
    cspi_lock_acquire(&cspi_sched.lock);
    int n = cspi_sched.n_started;
    for (int i = 0; i < n; i++) {
        cspi_worker *w = cspi_sched.workers[i];
        if (w->idle || w->away)
            w->seen_ns = 0;
        w->suspect = w->seen_ns || (!w->idle && !w->away) ? note_progress_locked(w, now) : false;
    }
    bool full = cspi_sched.n_available == 0;
    cspi_lock_release(&cspi_sched.lock);
    for (int i = 0; i < n; i++)
        if (csp_load_rlx(
                &cspi_sched.workers[i]->stuck)) // relaxed: a hint; written by others only for calls, drained then
            drain(cspi_sched.workers[i]);
    if (!waits(now))
        return;
    if (full)
        make_room(n);
    else
        cspi_wake_one();
}

// --- its thread -------------------------------------------------------------------------------------------------------------

static void sleep_until_wanted(void)
{
    csp_store_seq(&cspi_monitor_state, (uint32_t)MONITOR_ASLEEP); // M1
    csp_fence_seq();                                              // M2
    if (is_needed())                                              // M3
        csp_store_seq(&cspi_monitor_state, (uint32_t)MONITOR_AWAKE);
    while (csp_load_acq(&cspi_monitor_state) == MONITOR_ASLEEP)
        cspi_futex_wait(&cspi_monitor_state, MONITOR_ASLEEP, CSPI_FOREVER);
}

static void *monitor_main(void *unused)
{
    (void)unused;
    CSP_HOOK(worker_start);
    for (;;) {
        for (int quiet = 0; quiet < QUIET_LOOKS; quiet = is_needed() ? 0 : quiet + 1) {
            struct timespec nap = {0, PERIOD_NS};
            syscall(SYS_nanosleep, &nap, NULL);
            look();
        }
        sleep_until_wanted();
    }
    return NULL;
}

__attribute__((noinline, cold)) void cspi_monitor_wake(void)
{
    uint32_t state = csp_load_acq(&cspi_monitor_state);
    if (state >= MONITOR_AWAKE || !csp_cas_seq(&cspi_monitor_state, &state, (uint32_t)MONITOR_AWAKE))
        return; // awake, or somebody else wakes it
    if (state == MONITOR_ASLEEP)
        cspi_futex_wake(&cspi_monitor_state, 1);
    else if (!cspi_thread_start(monitor_main))
        csp_store_rlx(&cspi_monitor_state, (uint32_t)MONITOR_REFUSED); // relaxed: nothing hangs on when others see it
}

void cspi_monitor_after_fork(void)
{
    cspi_monitor_state = MONITOR_NONE; // the child has one thread
}
