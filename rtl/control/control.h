// control.h - controlled schedules: one task runs at a time, and every choice comes from the seed.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Glossary
//   task          a coroutine or pthread of the program. Under control it has a *number* (in order of creation; 1: main) and a
//                 *key* (hash of its creator's key and of its index among the creator's children): the same in all schedules.
//   the turn      leave to run. Exactly one task has it; the others' threads wait on a futex, other coroutines are not switched to.
//   choice point  where another task may go on instead: cspr_control_point, cspr_control_block, the end of a task.
//   to begin      the schedule begins with the first concurrent act: the runtime's start, pthread_create. Until then there is
//                 nothing to choose; but time is virtual and locks are noted from the process's first moment.
//   carrier       the OS thread that runs a task: a pthread's own; for all coroutines one of the runtime's workers.
//
// Which task goes on is decided by strategy.h; what was decided is recorded, or taken from a record, by schedule_file.h.
//
// For those who emulate blocking operations (a pthread's, or a coroutine's call of pthread_mutex_lock and the like):
//     cspr_control_point(CSP_OP_LOCK, m);
//     while ((error = real_trylock(m)) == EBUSY)
//         if (!cspr_control_block(CSP_OP_LOCK, m, deadline_ns))
//             return ETIMEDOUT;
// and after what may let others on: real_unlock(m), then cspr_control_wake(m, 1). Nothing runs between a failed try and
// cspr_control_block, so no wake-up is lost. Who is woken only *may* go on: he tries again. cspr_control_block is itself no
// point: it gives the turn away for certain.
#ifndef CSP_RTL_CONTROL_H
#define CSP_RTL_CONTROL_H

#include "control/strategy.h"
#include "rtl.h"

// Immutable after start: the process runs under a schedule of ours (options schedule, schedule_server, replay).
extern __attribute__((visibility("hidden"))) bool cspr_controlled;

// csp_op: enum csp_op of hooks.h, one list for the runtime's operations and the others.
const char *cspr_op_name(int op);
bool cspr_op_changes(int op);                      // it may change its object; else it only looks
int cspr_op_of_name(const char *name, size_t len); // -1: none

// From the schedule's beginning on: plain accesses are points, too (schedule_points=all). Then no access is skipped by the inline
// check, and the slow path comes by here first. Nothing of the program's is held, and what it keeps in vector registers its
// compiled code has spilled: they are the caller's in preserve_most calls as in any other.
extern __attribute__((visibility("hidden"))) bool cspr_control_everywhere;

// --- called by tasks that have the turn ---------------------------------------------------------------------------------
// Each does nothing on threads that are no task's, inside the detector (in_rtl, ignore), before the schedule has begun and
// while the process ends. errno is preserved.

// The running task is about to do op on obj (NULL: none). Another one may be let on first.
void cspr_control_point(int op, const void *obj);
// The same for an operation that only waits, or was in vain, so that the task would do the same again: a yield, a failed try,
// a reading of the clock. Who spins so lets the others on in any schedule; where all spin, the clock goes on.
void cspr_control_point_idle(int op, const void *obj);
// The running task cannot go on: gives the turn away until somebody wakes obj, or until deadline_ns (virtual; INT64_MAX:
// never). False: it was the deadline. A caller that is no task (or before the schedule has begun) yields its processor and
// gets true.
bool cspr_control_block(int op, const void *obj, int64_t deadline_ns);
// n of those who wait for obj (UINT_MAX: all) may try again; which ones is a decision.
void cspr_control_wake(const void *obj, unsigned n);
bool cspr_control_waits(const void *obj); // does anybody?
// The running task does nothing any more until the process ends; it keeps its thread, and the stack that it is on.
void cspr_control_give_up_turn(void);
// A number in [0, n) that the schedule chooses; n > 0. Outside of a controlled run 0.
uint32_t cspr_control_choose(uint32_t n);
// 64 random bits for the program (getrandom and the like): of the seed, the task's key, and how many it had before.
uint64_t cspr_control_random(void);

// As cspr_control_point, for what is called by compiled code itself: pc is the place. (Else it is where the function that pushed the
// newest frame record was called.)
void cspr_control_point_at(int op, const void *obj, void *pc);

// In interceptors that call back while something of libc's is locked (qsort is not one: nothing is; fopencookie, dlopen,
// atexit handlers are), and in signal handlers: no other task is let on at points meanwhile. Nests.
void cspr_control_hold(void);
void cspr_control_unhold(void);

// --- virtual time ----------------------------------------------------------------------------------------------------------
// Nanoseconds of CLOCK_MONOTONIC. Starts at CSPR_CONTROL_START_NS, stands still while tasks can go on, jumps to the next
// timer when none can. Reading is a point (idle); cspr_control_time only looks.
#define CSPR_CONTROL_START_NS ((int64_t)1000000000000)         // monotonic clock at the process's start
#define CSPR_CONTROL_WALL_NS ((int64_t)946684800 * 1000000000) // CLOCK_REALTIME then: 2000-01-01 00:00 UTC
int64_t cspr_control_now(void);
int64_t cspr_control_time(void);

// --- pthreads ----------------------------------------------------------------------------------------------------------------
// The schedule begins, unless it has: the fork server, if asked for, serves here, and returns in each child. By the main
// thread or whoever is the first; before the new task is made.
void cspr_control_begin(void);
// By the creator, for a task that will be a pthread's (cspr_task_new_thread): it gets its number, and may be let on from now.
void cspr_control_thread_new(cspr_task *t);
void cspr_control_thread_failed(cspr_task *t); // ... but its thread could not be started
// On the new thread, once it is attached to its task: waits for its first turn.
void cspr_control_thread_begins(void);
// The calling thread does nothing any more that the program could see; who waits for it was woken. The turn goes on.
void cspr_control_thread_ends(void);

// --- descriptors: what else than tasks lets tasks go on -------------------------------------------------------------------------
// Of those who wait in cspr_control_block for something that the kernel knows; set once, NULL until then.
typedef struct cspr_control_source {
    // Wakes those who can go on now, without waiting. True: somebody.
    bool (*poll)(void);
    // Somebody waits for what only others than this process can make come: real time is to pass, then poll is asked again.
    bool (*waits_outside)(void);
} cspr_control_source;
extern const cspr_control_source *cspr_control_descriptors;

// --- the record (schedule_file.h) -------------------------------------------------------------------------------------------------
enum { CSPR_FOLLOW_NONE = -1, CSPR_FOLLOW_CLOCK = -2 };
typedef struct cspr_recorder {
    // Who goes on, by the record: an index into c; CLOCK: the next timer fires although these can go on (only if may_fire); NONE: the
    // strategy decides.
    int (*follow)(const cspr_candidate *c, uint32_t n, bool may_fire);
    // c[chosen] executes its next operation, at pc; or CLOCK. n == 1: there was nothing to decide.
    void (*executed)(const cspr_candidate *c, uint32_t n, int chosen, uintptr_t pc);
    // Another decision, a number below n > 1. False: the strategy decides.
    bool (*follow_number)(uint32_t n, uint32_t *number);
    void (*chose)(uint32_t n, uint32_t number);
} cspr_recorder;
extern const cspr_recorder *cspr_control_recorder; // NULL: none; to be set before the schedule begins

typedef struct cspr_control_counts {
    uint64_t points;    // operations executed
    uint64_t decisions; // of these, those before which several could go on; and other numbers chosen
    uint32_t tasks;     // created, main included
    int64_t virtual_ns; // since the process started
} cspr_control_counts;
cspr_control_counts cspr_control_count(void);

// --- what is known ------------------------------------------------------------------------------------------------------------
bool cspr_control_has_begun(void);
// The number of a task; 0: not controlled. NULL: of the running one.
uint32_t cspr_control_number(const cspr_task *t);
uint64_t cspr_control_key(const cspr_task *t);
// The number of an object in the order of first use: the same whenever the schedule is. Forgotten when its memory is freed.
uint32_t cspr_control_object(const void *obj);

// The run depends on what is outside of it; why is a constant string. The first one counts.
void cspr_control_not_replayable(const char *why);
const char *cspr_control_why_not(void); // "": it is replayable

// --- the detector's start and end ------------------------------------------------------------------------------------------------
void cspr_control_init(void);
void cspr_control_after_fork(void); // in the child
// A schedule from the start again, in this process: the calling task is its only one.
void cspr_control_renew(const cspr_strategy_params *params);
// The process ends: points let nobody else on any more (what blocks still gives the turn away). Idempotent.
void cspr_control_end(void);

#endif
