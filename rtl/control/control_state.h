// control_state.h - the inside of controlled schedules: what the control*.c files share.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Everything here belongs to the task that has the turn (or, between two, to the worker's loop that has it): no locks. Threads
// that have none - the runtime's helper threads, say - only add to the inbox.
// Ordering:  T1 the turn: store-release of carrier.turn -> its load-acquire; carries everything
//            T2 the inbox: compare-exchange with release -> exchange with acquire; carries what the sender wrote
// Files: control.c start, end, chosen numbers · control_task.c the tasks, objects · control_turn.c carriers, points, who goes on
//        control_queue.c blocking, waking, deadlines · control_clock.c time, and what is done when nobody can go on
#ifndef CSP_RTL_CONTROL_STATE_H
#define CSP_RTL_CONTROL_STATE_H

#include "control/control.h"
#include "control/interleaving.h"

typedef struct cspr_control cspr_control;
typedef struct csp_co csp_co; // the runtime's

// An OS thread as one that is given the turn.
typedef struct cspr_carrier {
    uint32_t turn; // futex, atomic: T1
    // --- its thread's own
    bool has_turn;
    cspr_control *runs; // NULL: a worker's loop
    // --- of whoever has the turn
    bool away;                 // a worker that cannot be given coroutines: its thread is another's for now
    struct cspr_carrier *next; // the workers', in order of creation
} cspr_carrier;

// What a task is under control.
struct cspr_control {
    // --- immutable
    uint32_t number;
    uint64_t key;
    // --- can it go on?
    uint32_t place; // in the array of those who can, from 1; 0: it cannot
    int op;         // what it does next, or waits in
    uint32_t object;
    uintptr_t pc;    // where in the program
    uint64_t points; // operations begun
    // --- spinning
    bool gives_way;    // it would do the same again
    uint32_t repeated; // how often it did the same thing to the same object
    uint32_t quiet;    // how many operations in a row only looked
    // --- its own
    uint32_t children; // tasks it created so far
    bool dropped;      // left over from an exploration's schedule: never goes on
    uint32_t hold;     // cspr_control_hold
    uint64_t drawn;    // numbers given to the program
    // --- waiting (control_queue.c)
    const void *waits_for;
    bool timed_out;
    int64_t deadline;
    cspr_control *next_waiter, *previous_waiter; // in its object's bucket
    cspr_control *next_timed, *previous_timed;   // by deadline
    cspr_control *next_message;                  // T2
    // --- where it goes on
    bool own_thread; // on `own`; else on any worker
    cspr_carrier own;
    csp_co *co; // the runtime's, for a worker
    cspr_task *task;
};

typedef struct cspr_control_state {
    bool begun, ended;
    // --- those who can go on: two arrays, by place - 1
    cspr_candidate *candidates;
    cspr_control **owners;
    uint32_t n, cap;
    uint32_t n_giving_way;      // of these
    cspr_control *last;         // who executed the last operation; NULL: it has ended
    cspr_control *chosen;       // who was given the turn, until he takes it
    cspr_carrier *workers;      // in order of creation
    cspr_control *inbox;        // atomic: T2
    uint32_t n_threads;         // pthreads alive, main included
    uint32_t n_tasks;           // ever created
    uint64_t points, decisions; // cspr_control_counts
    int64_t clock_ns;           // atomic for those who only look
    int early_in;               // a timer that is due soon fires at one of so many points; 0: never
    // --- the end of the process
    cspr_control *resting; // waits until nobody can go on
    bool at_rest;
} cspr_control_state;

extern cspr_control_state cspr_control_it;
extern __thread cspr_carrier *cspr_control_here __attribute__((tls_model("initial-exec")));

// Chosen in place of a task: the runtime's timers are due, a worker is to fire them.
extern cspr_control cspr_control_timers;

// The running task, if the calling thread has the turn and is not busy inside the detector; else NULL.
static inline cspr_control *cspr_control_me(void)
{
    cspr_carrier *here = cspr_control_here;
    return here && here->has_turn ? here->runs : NULL;
}

// --- control_task.c
// Its key is what the creator gave: cspr_control_child_key, by itself or, for timers, earlier.
cspr_control *cspr_control_add(cspr_task *t, uint64_t key, uint32_t creator);
void cspr_control_forget_objects(void);    // they get new numbers
uint64_t cspr_control_child_key(void);     // for the next task that the running one creates
void cspr_control_remove(cspr_control *c); // its last event
void cspr_control_can(cspr_control *c);    // it can go on from now
void cspr_control_cannot(cspr_control *c);
void cspr_control_tell(cspr_control *c); // to the array: what it does next
void cspr_control_set_gives_way(cspr_control *c, bool gives_way);

// --- control_turn.c
// Who goes on, decided now. The caller has the turn.
cspr_control *cspr_control_pick(void);
// The running task goes on only when it is its turn again; next: pick's result.
void cspr_control_switch(cspr_control *me, cspr_control *next);
void cspr_control_give(cspr_control *next); // to another thread
void cspr_control_go_on(cspr_control *me);  // both: picks, and gives the turn away unless it is me

// --- control_queue.c
void cspr_control_wait(cspr_control *c, int op, const void *obj, int64_t deadline);
void cspr_control_forget_waiters(void);    // all of them, where they are gone
void cspr_control_unwait(cspr_control *c); // it can go on
int64_t cspr_control_first_deadline(void); // of those who wait; INT64_MAX: none
void cspr_control_fire_deadlines(void);    // at the clock's instant

void cspr_control_each_waiter(void (*fn)(const cspr_control *c, void *arg), void *arg); // for objects, in no order

// --- control_clock.c
#define CSPR_CONTROL_READING_NS 100 // no two readings of the clock are the same
#define CSPR_CONTROL_TICK_NS 1000   // for each operation in vain while all spin
void cspr_control_set_clock(int64_t ns);
bool cspr_control_timers_are_due(void);
bool cspr_control_may_fire_early(void); // a timer is due so soon that it may fire although tasks can go on
void cspr_control_fire_early(void);
void cspr_control_idle(void); // nobody can go on: waits, or moves the clock; or it is the end

// --- control_stuck.c: no task can ever go on, in a program without the runtime. Returns when a thread that is none of ours may
// do something yet.
void cspr_control_stuck(void);

// --- hooks.c: as hooks.h has them
void *cspr_control_carrier_new(void);
void cspr_control_carrier_take(void *carrier, csp_co *co);
void cspr_control_carrier_leave(void *carrier, bool away);
void cspr_control_co_ready(void *task, csp_co *co);
void cspr_control_co_parks(void *task);
void cspr_control_co_wait(void);
csp_co *cspr_control_next(void *carrier);
bool cspr_control_rest(int64_t grace_ns);

#endif
