// task.h - the inside of a task: clock, epoch, frame records, held locks. Used by the core's files only.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A task is changed by the thread that runs it; while it is parked, by whoever holds the lock that keeps it parked.
//
// Epochs. clock.own_at counts the epochs in which something was recorded. A release *closes* the current one: what comes
// later is not covered by what was published. Nothing is counted until something is recorded again, so loops that only
// lock, send or release use up no epochs; an epoch is given its 30-bit name only when a cell needs it (rule A9).
//
// An epoch may go on after the release that closed it, when a task comes back to a lock that nobody has taken since: sync.c,
// "Coming back". Then own_at may be ahead of it: `at` is the open epoch's value.
#ifndef CSP_RTL_TASK_H
#define CSP_RTL_TASK_H

#include "clock/clock.h"
#include "clock/epoch.h"
#include "control/control.h"
#include "rtl.h"
#include "support/lock.h"

enum { CSPR_MAX_HELD = 64 };
// In the order of is_write.
enum cspr_ignore { CSPR_IGNORE_READS, CSPR_IGNORE_WRITES, CSPR_IGNORE_SYNC, CSPR_IGNORES };

// Logical ids that finished children left behind, with what must be known to take one over (rule B1). Outlives its task
// while children are alive: they hold references, and a closed queue passes on to its parent.
typedef struct cspr_id_queue cspr_id_queue;
typedef struct cspr_rereads cspr_rereads; // shadow/reread.h

// The epoch that a lock's release has closed, and what must still hold for it to go on.
typedef struct cspr_resume {
    const void *lock; // NULL: none
    uint64_t turn;    // what the lock then had (side.h)
    uint64_t published;
    uint64_t at;
    uint32_t epoch;
    // --- the quick way of sync.c
    const cspr_sync *sync;   // the lock's, as long as its address and turn say so; NULL: there is no quick way
    const cspr_stamp *stamp; // what its clock was set to, compared only
    // Where the epoch ended last: what the newest frame record and the one before it said. 0: not known.
    const void *ret;
    uint64_t caller;
} cspr_resume;

struct cspr_task {
    cspr_clock clock;
    bool open;          // there is an epoch that is not published yet
    uint64_t at;        // its clock value
    uint32_t epoch;     // its id when open and named, else 0
    uint32_t paused;    // id of the epoch that was open when an earlier one went on, 0: none; both end together
    uint64_t published; // releases so far
    cspr_resume resume;
    uint32_t run;      // first id of the newest run, 0: none
    uint64_t run_base; // the clock value that id names
    cspr_who who;
    cspr_stamp *stamp;        // of the clock as it is now; NULL: changed since the last one
    cspr_stamp *fence;        // published by later relaxed stores: clock at the last release fence
    cspr_stamp *loaded;       // joined by the next acquire fence: clocks seen by relaxed loads
    cspr_stamp *last_loaded;  // the newest one merged into `loaded`
    cspr_stamp *last_learned; // the newest one joined; held so that its address stays its own
    cspr_id_queue *ids;       // of its children; NULL: it has had none
    cspr_id_queue *heir;      // of its creator; NULL: it is the first task
    cspr_rereads *rereads;    // NULL: none
    uintptr_t hook_page;      // the last page that cspr_access met: shadow of a new one is touched
    // --- while it does not run
    csp_frame *top;
    csp_frame **live_top; // atomic; where the newest record is while it runs, else NULL
    const csp_site *site;
    uintptr_t stack_lo, stack_hi; // coroutine's stack, 0: not known
    void *public_pc;              // a place in the runtime's public function it called last
    cspr_stamp *final;            // an ended pthread's last clock, for its joiner
    // --- for life
    uint8_t row; // everyone.h
    uint32_t n_held;
    cspr_held *held;                // CSPR_MAX_HELD of them, allocated at the first lock
    uint16_t ignored[CSPR_IGNORES]; // annotations: how many of each are in force
    uint32_t lock_set;              // depot.h: of what is held now; 0: nothing, or not known yet
    uint32_t one_lock_set;          // that of one_held alone; 0: none yet
    cspr_held one_held;             // the newest lock that was the only one held
    // --- lock_order.h
    cspr_stamp *order; // what it knows without the order that locks give; NULL: nothing
    uint32_t order_id; // its own id there; 0: it never took a lock while it held another
    bool order_open;   // order_at is not in `order` yet
    uint64_t order_at;
    struct cspr_control *control; // control_state.h; NULL: the schedule is not ours
    uint32_t lock_wait;           // lock_wait.h; 0: waits for no lock while it holds others
};

// A task that starts with what `from` knows (NULL: nothing); `creator` (may be NULL) is who asked for it, and gets its
// logical id back at its end. who->kind, id, creation, site and stack are the caller's to fill in.
cspr_task *cspr_task_make(cspr_identity *who, cspr_task *creator, const cspr_stamp *from);
// The task's last event: its id goes to its creator's queue. The task stays allocated.
void cspr_task_finish(cspr_task *t);
void cspr_task_free(cspr_task *t);

void cspr_task_fork_lock(bool take); // while the process forks (shadow.c)

// Moves __csp_current, __csp_top and __csp_site between the calling thread and its task.
void cspr_task_load(cspr_task *t);
void cspr_task_store(void);

// Opens an epoch when there is none: whatever records calls this first.
void cspr_task_open_slow(cspr_task *t);
static inline void cspr_task_open(cspr_task *t)
{
    if (CSPR_UNLIKELY(!t->open))
        cspr_task_open_slow(t);
}
// The id of the open epoch, issued on demand; 0 when there are none left. t is the running task: sets __csp_current.
uint32_t cspr_task_name_epoch(cspr_task *t);

// What t knows now, closing its epoch: a release. t's, until it opens an epoch or learns. by, leaf_pc: for reports (depot.h).
cspr_stamp *cspr_task_release(cspr_task *t, uintptr_t by, void *leaf_pc);
// The same as a reference, the caller's.
cspr_stamp *cspr_task_publish(cspr_task *t, uintptr_t by, void *leaf_pc);
// The same, and t keeps none: for what goes to one task, which then has the only reference and lets go of it without a locked
// instruction. Where t publishes again before it has opened an epoch or learned, that is another stamp.
cspr_stamp *cspr_task_hand_over(cspr_task *t, uintptr_t by);
bool cspr_task_holds(const cspr_task *t, const void *lock, int mode);
// The locks that t holds, as depot.h names them; 0: none.
uint32_t cspr_task_find_locks(cspr_task *t);
static inline uint32_t cspr_task_locks(cspr_task *t)
{
    return CSPR_LIKELY(!t->n_held) ? 0 : t->lock_set ? t->lock_set : cspr_task_find_locks(t);
}

// The epoch that t->resume names goes on. t is the running task.
void cspr_task_resume(cspr_task *t);
// It ends again, with nothing to publish: whoever will know it learns of all of it from what was published. by: as above.
void cspr_task_rest(cspr_task *t, uintptr_t by);

// One more reference to the stamp that cspr_task_release gave, for the caller.
cspr_stamp *cspr_task_share(cspr_stamp *s);

// t learns what s knows (NULL: nothing): an acquire. Given: the reference is t's from then on. From a lock: order that any other
// run may have the other way round.
void cspr_task_learn(cspr_task *t, const cspr_stamp *s);
void cspr_task_learn_given(cspr_task *t, cspr_stamp *s);
void cspr_task_learn_given_from_lock(cspr_task *t, cspr_stamp *s);
// False: learning s from a lock would change nothing.
bool cspr_task_is_news(const cspr_task *t, const cspr_stamp *s);

// Both release, and learn what the other knows. a is the running task, b is parked.
void cspr_task_meet(cspr_task *a, cspr_task *b);

static inline bool cspr_task_knows(const cspr_task *t, uint32_t id, uint64_t at)
{
    return cspr_clock_get(&t->clock, id) >= at;
}

#define CSPR_CURRENT_NOBODY ((uint64_t)CSPR_EPOCH_NOBODY << CSPR_EPOCH_SHIFT | 0xffull << CSPR_MASK_SHIFT)

// Epoch ids that the running task was found to know lately, each in its slot: spares the way to the clock. What a task knows
// it never forgets, so these end when another task runs.
enum { CSPR_KNOWN_SLOTS = 8 };
extern __thread uint32_t cspr_known_epochs[CSPR_KNOWN_SLOTS] __attribute__((tls_model("initial-exec")));

static inline bool cspr_epoch_is_known(uint32_t epoch)
{
    return cspr_known_epochs[epoch / CSPR_RUN_EPOCHS % CSPR_KNOWN_SLOTS] == epoch;
}
static inline void cspr_epoch_note_known(uint32_t epoch)
{
    cspr_known_epochs[epoch / CSPR_RUN_EPOCHS % CSPR_KNOWN_SLOTS] = epoch;
}

static inline void cspr_known_epochs_forget(void)
{
    for (unsigned i = 0; i < CSPR_KNOWN_SLOTS; i++)
        cspr_known_epochs[i] = CSPR_EPOCH_NOBODY;
}
// Whether t, the running task, knows the epoch of a cell.
bool cspr_task_knows_epoch_slow(const cspr_task *t, uint32_t epoch);
static inline bool cspr_task_knows_epoch(const cspr_task *t, uint32_t epoch)
{
    return cspr_epoch_is_known(epoch) || cspr_task_knows_epoch_slow(t, epoch);
}

extern __thread uint32_t cspr_shared_reads
    __attribute__((tls_model("initial-exec"))); // by the present epoch (readset.h)

// The running task's epoch, as compiled code compares it; what it shares is not known yet.
static inline void cspr_set_current(uint64_t cell)
{
    if (CSPR_UNLIKELY(cspr_control_everywhere)) // each access enters the slow path, for its choice point (rule H2)
        cell = CSPR_CURRENT_NOBODY;
    __csp_current = cell;
    __csp_current_shared = CSPR_CURRENT_NOBODY;
    cspr_shared_reads = 0;
}

static inline uint64_t cspr_cell_of(uint32_t epoch, unsigned mask, cspr_stack stack)
{
    return (uint64_t)epoch << CSPR_EPOCH_SHIFT | (uint64_t)mask << CSPR_MASK_SHIFT | stack;
}

extern const csp_hook_table cspr_hooks; // hooks.c

// who.c
void cspr_who_init(void);
cspr_who cspr_who_new(const cspr_identity *identity);
void cspr_who_set_finished(cspr_who who);
void cspr_who_set_entry(cspr_who who, uintptr_t fn);
void cspr_who_set_end(cspr_who who, cspr_stack end); // it does not return but ends there
void cspr_who_set_task(cspr_who who, const cspr_task *t);
const cspr_task *cspr_who_task(cspr_who who); // NULL: over. May be over at any moment: tasks stay readable memory
// The thread whose static thread-local block contains addr, 0: none.
cspr_who cspr_who_of_tls(uintptr_t addr, uintptr_t *thread_pointer);
// The thread pointers of all threads known: the program's, and the runtime's (which tell of themselves here).
void cspr_who_each_thread_pointer(void (*fn)(uintptr_t thread_pointer, void *arg), void *arg);
void cspr_who_note_worker(void);
void cspr_who_set_name(cspr_who who, const char *name);
void cspr_who_set_thread(cspr_who who, pid_t tid, uintptr_t stack_lo, uintptr_t stack_hi);

#endif
