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
//
// Looking (snapshot.c). Workers halt at their next scheduling point, and also right before they switch to a coroutine, so
// that a stack which is seen at rest stays at rest:
//     who looks                                  a worker that is about to run a coroutine
//     L1 sets CSPI_STOP_TO_LOOK                  R1 makes its state CO_RUNNING
//     L2 membarrier: a fence in every thread     R2 a compiler's fence
//     L3 reads states                            R3 reads `stopping`: halts
// At least one sees the other. The fence is the looker's alone, since switches are frequent and looks are not.
#include "worker.h"

#include "context.h"
#include "control.h"
#include "dump.h"
#include "panic.h"
#include "poll.h"
#include "signal.h"
#include "switch.h"
#include "view.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/membarrier.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define STOP_NS_AFTER_GRACE 100000000
#define STOP_NS_PLAIN 1000000

// --- all asleep ------------------------------------------------------------------------------------------------------------

// Threads in this process, 0 when the kernel does not tell.
int cspi_count_threads(void)
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

__attribute__((noreturn)) static void end_all_asleep(bool none_left)
{
    cspi_end_claim();
    if (none_left)
        cspi_say("fatal error: no coroutines (main called csp_exit) - deadlock!\n");
    else
        cspi_say("fatal error: all coroutines are asleep - deadlock!\n");
    cspi_frames none = {0};
    cspi_dump_at_end(&none);
    CSP_HOOK(all_asleep);
    cspi_end_process();
}

// Never below the number at some moment of the call, so that a program may wait for "only main is left". Ends are read before
// creations (C1): whoever's end is counted had been created, and had created, before it, so those creations are counted too,
// and so on to everyone alive who descends from somebody counted.
int64_t cspi_count_live(void)
{
    uint64_t ended = 0, created = 0;
    for (int i = 0; i < csp_load_acq(&cspi_sched.n_max); i++)
        ended += csp_load_acq(&cspi_sched.workers[i]->ended); // C1
    int64_t unowned = csp_load_acq(&cspi_sched.live_unowned); // C1: falls when main ends
    for (int i = 0; i < csp_load_acq(&cspi_sched.n_max); i++)
        created += csp_load_rlx(&cspi_sched.workers[i]->created); // relaxed: after C1
    return unowned + (int64_t)(created - ended);
}

// Those in blocking calls run nothing either; what the calls do, a thread of the program could do.
static bool all_workers_idle_locked(void)
{
    return cspi_sched.n_idle + cspi_sched.n_away == cspi_sched.n_started && cspi_sched.n_global == 0;
}

void cspi_rest_check_locked(void)
{
    cspi_sched.recheck = false;
    if (CSPI_CONTROLLED())
        return; // it is the detector that knows (cspi_control_all_asleep)
    if (!all_workers_idle_locked())
        return;
    if (csp_load_acq(&cspi_sched.quiescing)) {
        csp_add_seq(&cspi_sched.rest_event, 1u);
        cspi_futex_wake(&cspi_sched.rest_event, 1);
        return;
    }
    // relaxed: whoever could change it is asleep, or has not yet parked and checks later
    if (csp_load_rlx(&cspi_sched.stopping) || csp_load_rlx(&cspi_sched.n_bound_running) > 0 || cspi_timers_may_wake() ||
        csp_load_rlx(&cspi_poll_waiting) > 0 || cspi_signals_may_wake())
        return;
    int ours = cspi_sched.n_started + cspi_sched.n_bound + csp_load_acq(&cspi_sched.n_own_threads);
    if (cspi_count_threads() > ours + cspi_fiber_tool_threads() + cspi_signals_threads()) {
        cspi_sched.recheck = true;
        // One that sleeps already would not look again: it comes round here, and then knows.
        cspi_worker_send_looking(cspi_idle_take_keeper_locked());
        return;
    }
    bool none_left = csp_load_acq(&cspi_sched.main_ended) && cspi_count_live() <= 0;
    cspi_lock_release(&cspi_sched.lock);
    end_all_asleep(none_left);
}

void cspi_rest_check(void)
{
    cspi_lock_acquire(&cspi_sched.lock);
    cspi_rest_check_locked();
    cspi_lock_release(&cspi_sched.lock);
}

// --- stopping ---------------------------------------------------------------------------------------------------------------

static uint32_t stopped_by(const cspi_worker *w)
{
    uint32_t stopping = csp_load_acq(&cspi_sched.stopping);
    return w == csp_load_rlx(&cspi_sched.exempt) ? stopping & CSPI_STOP_TO_LOOK : stopping; // relaxed: w's own matter
}

void cspi_rest_halt(cspi_worker *w)
{
    if (w->spinning) {
        w->spinning = false;
        csp_add_seq(&cspi_sched.n_spinning, -1);
    }
    csp_add_seq(&cspi_sched.n_halted, 1u);
    for (uint32_t seen; (seen = csp_load_acq(&cspi_sched.stopping), stopped_by(w));)
        cspi_futex_wait(&cspi_sched.stopping, seen, CSPI_FOREVER);
    csp_add_seq(&cspi_sched.n_halted, (uint32_t)-1);
}

// Counts that hang together need the lock; a signal handler does without: it may have interrupted who holds it.
CSPI_LOOKS static int count_at_work(const cspi_worker *left_alone, bool from_signal)
{
    if (!from_signal)
        cspi_lock_acquire(&cspi_sched.lock);
    int n = cspi_sched.n_started - cspi_sched.n_idle - cspi_sched.n_away - (int)csp_load_seq(&cspi_sched.n_halted) -
            (left_alone && !left_alone->idle && !left_alone->away);
    if (!from_signal)
        cspi_lock_release(&cspi_sched.lock);
    return n;
}

// Workers stop at their next scheduling point; waits for that up to limit_ns, since a coroutine may compute for ever.
static bool wait_until_stopped(const cspi_worker *left_alone, int64_t limit_ns, bool from_signal)
{
    for (int64_t until = cspi_now() + limit_ns;;) {
        if (count_at_work(left_alone, from_signal) <= 0)
            return true;
        if (cspi_now() >= until)
            return false;
        struct timespec nap = {0, 50000};
        syscall(SYS_nanosleep, &nap, NULL);
    }
}

static void stop_workers(cspi_worker *exempt, int64_t limit_ns)
{
    csp_store_rlx(&cspi_sched.exempt, exempt); // relaxed: only the exempt one's own thread acts on it
    csp_or_seq(&cspi_sched.stopping, (uint32_t)CSPI_STOP_TO_END);
    wait_until_stopped(exempt, limit_ns, false);
}

static void go_on(uint32_t reason)
{
    csp_and_seq(&cspi_sched.stopping, ~reason);
    cspi_futex_wake(&cspi_sched.stopping, CSPI_MAX_WORKERS);
    cspi_wake_one();
}

void cspi_rest_resume(void)
{
    csp_store_rlx(&cspi_sched.exempt, (cspi_worker *)NULL); // relaxed: as in stop_workers
    go_on(CSPI_STOP_TO_END);
}

bool cspi_rest_pause(int64_t limit_ns, bool from_signal)
{
    csp_or_seq(&cspi_sched.stopping, (uint32_t)CSPI_STOP_TO_LOOK); // L1
    // L2. A kernel without it (before 4.14): then only the time limit stands between us and a worker that was about to
    // run a coroutine all the while.
    syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0);
    syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
    return wait_until_stopped(cspi_worker_self(), limit_ns, from_signal);
}

void cspi_rest_unpause(void)
{
    go_on(CSPI_STOP_TO_LOOK);
    cspi_rest_check(); // who went idle meanwhile did not ask whether all are asleep
}

#if CSP_HOOKS
static void tell_leak_sanitizer(void)
{
}
#else
// Stock LeakSanitizer looks next, in an exit handler that was registered before ours. It knows the stacks of threads: what only
// a coroutine's frames lead to would be taken for lost. They are told of from the saved stack pointer up, so that what lies
// below, left by calls that are over, keeps nothing; with the descriptor, which leads to the labels.
CSPI_LOOKS static bool tell_of_stack(csp_co *co, void *here)
{
    bool is_still = !co->bound && csp_load_acq(&co->state) != CO_RUNNING;
    const char *lo = is_still ? co->sp : (const char *)here, *hi = (const char *)(co + 1);
    if (co->kind != CO_COROUTINE)
        return true; // the threads' own stacks it knows
    if (lo < (const char *)cspi_stack_lo(co) || lo >= hi)
        lo = cspi_stack_lo(co); // it computes, on another thread
    __lsan_register_root_region(lo, (size_t)(hi - lo));
    return true;
}

static void tell_leak_sanitizer(void)
{
    if (__lsan_register_root_region)
        cspi_co_each(tell_of_stack, __builtin_frame_address(0));
}
#endif

void cspi_rest_at_exit(void)
{
    if (!(csp_load_rlx(&cspi_sched.stopping) & CSPI_STOP_TO_END)) // relaxed: set by this thread if at all
        stop_workers(cspi_worker_self(), STOP_NS_PLAIN);
    tell_leak_sanitizer();
}

#if CSP_HOOKS
// --- the detector's view ---------------------------------------------------------------------------------------------------

// The calling flow keeps this thread and blocks it from now on when it parks; its worker goes on in a new thread.
static void leave_worker(void)
{
    cspi_worker *w = cspi_worker_self();
    if (!w)
        return; // a thread of the program, or in a blocking call: bound already
    csp_co *co = w->current;
    co->bound = true;
    cspi_lock_acquire(&cspi_sched.lock);
    cspi_sched.n_bound++;
    csp_add_rlx(&cspi_sched.n_bound_running, 1); // relaxed: under the lock
    cspi_lock_release(&cspi_sched.lock);
    w->current = NULL;
    cspi_worker_set_self(NULL);
    cspi_foreign_set_self(co);
    if (CSPI_CONTROLLED())
        cspi_hooks->carrier_leave(w->carrier, false);
    cspi_worker_spawn(w);
}

static bool is_at_rest(int64_t deadline)
{
    cspi_lock_acquire(&cspi_sched.lock);
    // A blocking call may yet end and wake somebody, unless it is the one that ends the process.
    bool all_idle =
        all_workers_idle_locked() && cspi_sched.n_away == (cspi_away_self() != NULL) && cspi_signals_are_told();
    cspi_lock_release(&cspi_sched.lock);
    return all_idle && cspi_timers_earliest_lively() > deadline;
}

static bool quiesce(int64_t grace_ns)
{
    leave_worker();
    if (CSPI_CONTROLLED())
        return cspi_hooks->rest(grace_ns);
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

void cspi_control_all_asleep(unsigned n_threads)
{
    int ours = cspi_sched.n_started + (int)n_threads + csp_load_acq(&cspi_sched.n_own_threads);
    if (cspi_signals_may_wake() || cspi_count_threads() > ours + cspi_signals_threads())
        return;
    end_all_asleep(csp_load_acq(&cspi_sched.main_ended) && cspi_count_live() <= 0);
}

static size_t count(void)
{
    return (size_t)cspi_count_live();
}

static bool pause_workers(int64_t limit_ns)
{
    return cspi_rest_pause(limit_ns, false);
}

static const csp_runtime_view view_of_runtime = {
    .keep_thread = leave_worker,
    .switch_away = cspi_control_switch_away,
    .first_timer = cspi_timers_earliest,
    .first_lively_timer = cspi_timers_earliest_lively,
    .timers_may_wake = cspi_timers_may_wake,
    .poll = cspi_control_poll,
    .any_polled = cspi_poll_any,
    .all_asleep = cspi_control_all_asleep,
    .count = count,
    .now_ns = cspi_now,
    .quiesce = quiesce,
    .each = cspi_view_each,
    .pause = pause_workers,
    .unpause = cspi_rest_unpause,
    .each_root = cspi_view_each_root,
    .is_idle_thread = cspi_view_is_idle_thread,
    .stack_end = cspi_view_stack_end,
    .wg_count = cspi_view_wg_count,
};

void cspi_rest_publish_view(void)
{
    cspi_runtime_view = &view_of_runtime;
}
#else
void cspi_rest_publish_view(void)
{
}
#endif
