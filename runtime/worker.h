// worker.h - the scheduler's inside: workers (OS threads that run coroutines) and what they share.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Files: sched.c what coroutines call · worker.c a worker's loop, finding work · idle.c idling, waking, retiring
//        blocking.c calls that block · monitor.c workers that are stuck · start.c start, threads, fork
//        rest.c all asleep, bringing everything to rest at exit, the detector's view
//
// A worker's loop runs on a stack of its own; a coroutine that parks, yields or ends switches to it and says why in
// `request`. So nothing of a coroutine is touched on its own stack once another worker may run it.
//
// Never lose a wake-up. Both sides write, then look (StoreLoad), the fences of W2 and I2 between:
//     a pusher                                       a worker that runs out of work
//     W1 puts a coroutine in a queue                 I1 goes on the idle list, gives up `spinning`
//     W2 fence                                       I2 fence
//     W3 looks for idle workers and spinning ones    I3 looks at all queues again
// At least one sees the other. A pusher that sees a spinning worker leaves it to that one: it has I1 to I3 before it.
//
// How many may work. CSP_MAXPROCS workers run coroutines. One that is *stuck* - in a blocking call (blocking.c), or found to
// compute while others wait (monitor.c) - does not count, so one more may work in its place: an idle one, or a new thread.
// When it is back there may be one too many; whoever passes its next scheduling point first then retires: it puts its queue
// on the global one and goes on the idle list, where pushers let it sleep while n_available is 0. Everything that gives room
// (n_available grows) is followed by a fence and a look at all queues, as in I2 and I3: a pusher before it saw no room.
#ifndef CSP_RUNTIME_WORKER_H
#define CSP_RUNTIME_WORKER_H

#include "base/lock.h"
#include "co.h"
#include "runq.h"
#include "stack.h"
#include "timer.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define CSPI_MAX_WORKERS 1024
#define CSPI_LOOP_STACK_SIZE ((size_t)8 << 20) // blocking calls run on it (blocking.c); committed as it is used

// How the keeper sleeps: there is none, it has not made up its mind, on its futex (deaf to descriptors), in the netpoller.
enum cspi_keeper_sleep { KEEPER_NONE, KEEPER_UNDECIDED, KEEPER_DEAF, KEEPER_POLLS };

// Why workers run nothing: bits of `stopping`.
enum { CSPI_STOP_TO_END = 1, CSPI_STOP_TO_LOOK = 2 };

enum cspi_request { REQUEST_PARK, REQUEST_YIELD, REQUEST_END, REQUEST_CALL, REQUEST_REQUEUE };

typedef struct cspi_worker {
    // --- owner only
    void *sched_sp;             // the loop's saved state while a coroutine runs
    cspi_fiber loop;            // that stack, for fiber.h
    csp_co *current;            // NULL on the loop's stack
    int request;                // enum cspi_request
    void (*release)(void *arg); // what to do on the loop's stack: release a lock once parked, or the call
    void *release_arg;
    void *stack_lo;       // the loop's stack, for the detector to forget what a call left on it
    uint64_t tick;        // coroutines run so far; atomic for readers that only look
    uint64_t parks;       // of these, how many parked; likewise
    uint64_t steals;      // likewise
    int64_t clock_ns;     // cspi_now() of some moment within the last CLOCK_EVERY ticks, or since it was idle
    uint32_t next_streak; // how many of the last ones came from runq.next
    uint64_t random;
    void *carrier; // control.h; NULL: not under control
    bool spinning; // counted in sched.n_spinning: looks for work, others need not be woken
    cspi_stack_cache stacks;
    uint64_t created, ended; // coroutines, by who ran here; atomic for csp_count
    // --- monitor only: what it saw of the worker when `tick` last moved
    uint32_t seen_tick;
    int64_t seen_ns, seen_cpu_ns; // 0: it was idle then
    bool suspect;
    // --- under cspi_sched.lock
    bool idle;  // in the idle list, or the keeper
    bool stuck; // counted in n_stuck: another may work in its place
    bool away;  // in a blocking call, hence stuck
    struct cspi_worker *idle_link;
    // --- atomic
    int tid; // of its thread, once that runs
    // --- shared
    const cspi_timer *firing; // under the timers' lock
    uint32_t wake;            // atomic, futex: edge K1
    uint32_t in_poll;         // atomic: K2; it sleeps in the netpoller, not on wake
    cspi_runq runq;
} cspi_worker;

typedef struct cspi_sched_state {
    cspi_lock lock;
    // --- under lock
    csp_co *global_head, *global_tail; // coroutines that belong to no worker's queue
    cspi_worker *idle;                 // a stack; without the keeper
    cspi_worker *keeper;   // the idle worker that sleeps only until the next timer; the last to be woken for work
    int64_t keeper_until;  // how long it sleeps
    uint32_t keeper_sleep; // enum cspi_keeper_sleep; atomic for those who only look
    int n_idle;            // with the keeper
    csp_co *foreign;       // list of foreign coroutines
    int n_bound;           // coroutines bound to threads of the program
    bool recheck;          // all are asleep but for threads we do not know: look again soon
    // --- under lock, atomic for readers that only look
    int n_global;
    int n_started;
    int n_limit; // how many may be started, stuck ones and all: CSPI_MAX_WORKERS, fewer when the system refuses threads
    int n_stuck; // of those started
    int n_away;  // of the stuck ones, those in a blocking call
    int n_available;          // how many more may work and can be had: W3
    int n_working;            // started, neither idle nor stuck
    int n_surplus;            // how many too many work
    int n_bound_running;      // bound coroutines that are not parked, and calls of blocking.c: they may wake somebody
    int n_own_threads;        // the runtime's threads that are no workers
    int64_t live_unowned;     // main (1), and coroutines created by threads that are no worker
    uint64_t created_unowned; // as live_unowned, without those that ended
    uint64_t handovers;       // workers marked stuck so that another may work
    int64_t started_ns;       // when the runtime started
    // --- atomic
    int n_max;       // workers that were ever started, at least n_procs
    bool main_ended; // by csp_exit
    int n_spinning;
    uint32_t stopping; // futex: workers run nothing (rest.c), CSPI_STOP_ bits
    uint32_t n_halted;
    uint64_t next_id;
    bool quiescing;      // the process is ending: "all asleep" is good news
    uint32_t rest_event; // futex: counts "all workers are idle" while quiescing
    cspi_worker *exempt; // the one whose coroutine runs the exit handlers: may schedule although stopping
    // --- set in a forked child: the coroutines that are there have id >= first_id, or are the survivor
    uint64_t first_id;
    csp_co *survivor;
    // --- immutable after start
    bool started; // atomic
    int n_procs;  // how many may work at once
    csp_co main_co;
    cspi_worker *workers[CSPI_MAX_WORKERS];
} cspi_sched_state;

extern cspi_sched_state cspi_sched;

// The calling thread's worker, NULL on threads that are none. Not to be kept over a switch, hence never inlined.
cspi_worker *cspi_worker_self(void);
void cspi_worker_set_self(cspi_worker *w);
csp_co *cspi_foreign_self(void);
void cspi_foreign_set_self(csp_co *co);

// --- worker.c
__attribute__((noreturn)) void cspi_worker_loop(void);
// A coroutine became runnable on w (its owner calls).
void cspi_worker_push(cspi_worker *w, csp_co *co);
void cspi_worker_push_next(cspi_worker *w, csp_co *co);
void cspi_global_push(csp_co *co);             // from threads that are no worker
void cspi_global_append_locked(csp_co *co);    // caller holds cspi_sched.lock
void cspi_worker_drain_locked(cspi_worker *w); // puts w's queue on the global one; its owner calls, with the lock
bool cspi_work_waits(void);                    // anything in any queue
void cspi_timers_run_due(cspi_worker *w);

// --- idle.c
void cspi_wake_one(void); // W2, W3
void cspi_stop_spinning(cspi_worker *w);
void cspi_start_spinning(cspi_worker *w);
void cspi_idle_wait(cspi_worker *w);   // w found no work; returns when there may be some
void cspi_idle_retire(cspi_worker *w); // if too many work: w hands over its queue and sleeps until it is woken
// After a change of n_started, n_idle, n_stuck, n_limit or n_procs. Caller holds cspi_sched.lock.
void cspi_counts_changed_locked(void);
// Leaves the idle list by itself, spinning; false: somebody has taken it off already and kicks it.
bool cspi_idle_leave(cspi_worker *w);
// A coroutine has begun to wait for a descriptor: sees to it that somebody polls.
void cspi_idle_mind_poller(void);
// Takes one worker off the idle list, prepared to be woken; NULL: none. Caller holds cspi_sched.lock.
cspi_worker *cspi_idle_take_locked(void);
// The keeper, likewise, if it is another thread than the caller's; once the lock is released: cspi_worker_send_looking.
cspi_worker *cspi_idle_take_keeper_locked(void);
void cspi_worker_send_looking(cspi_worker *keeper); // NULL: nothing
void cspi_worker_kick(cspi_worker *w);              // wakes what cspi_idle_take_locked returned

// --- blocking.c
// The worker whose thread is in a blocking call, which then is no worker's; NULL: in none.
cspi_worker *cspi_away_self(void);
void cspi_away_set_self(cspi_worker *w);
// On the loop's stack, what co asked for: the call. False: too many work now, co waits for its turn.
bool cspi_blocking_run(cspi_worker *w, csp_co *co);

// --- start.c
// Starts the runtime if need be and returns the calling flow's coroutine. For threads without a worker.
csp_co *cspi_self_slow(void);
// Main, bound to its thread, ends while others go on. Last words to the scheduler.
void cspi_bound_main_ends(csp_co *co);
// Starts a thread for worker w, which was counted as started. False: the system has no more.
bool cspi_worker_spawn(cspi_worker *w);
// The worker that is number n_started becomes one of them, and is returned. Caller holds cspi_sched.lock.
cspi_worker *cspi_worker_add_locked(void);
// A thread of the runtime that is no worker: blocks all signals, counts as ours. False: the system has no more.
bool cspi_thread_start(void *(*fn)(void *));
bool cspi_thread_is_own(int tid); // a thread that cspi_thread_start made

// --- rest.c
int cspi_count_threads(void);  // of the process; 0: the kernel does not tell
int64_t cspi_count_live(void); // coroutines that have not ended; a moment's value
// Caller holds cspi_sched.lock; all started workers may be idle. Ends the process when nothing can ever run again.
void cspi_rest_check_locked(void);
void cspi_rest_check(void);          // the same for who does not hold it
void cspi_rest_halt(cspi_worker *w); // a worker's loop, when stopping
void cspi_rest_at_exit(void);
void cspi_rest_resume(void); // somebody parks after everything was stopped: let the others go on
// Holds all workers but the caller's, so that stacks of coroutines that do not run stand still; waits for those at work up
// to limit_ns. True: all stand. Signal-safe when from_signal. One caller at a time (snapshot.c).
bool cspi_rest_pause(int64_t limit_ns, bool from_signal);
void cspi_rest_unpause(void);
void cspi_rest_publish_view(void);

#endif
