// rtl.h - ground rules and glossary of the detector, and the few things every file of it shares.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ground rules
//   R1  We run inside somebody else's program: no malloc, no stdio, no locale, no program callback from the detector's
//       paths; memory comes from alloc.h (mmap). libc calls that are plain system calls are fine.
//   R2  A thread inside the detector has thread->in_rtl > 0; interceptors then call straight through.
//   R3  No lock is held while reporting, unwinding, symbolizing (rule G2); reports are built from copied data.
//   R4  errno is preserved by every entry.
//   R5  The detector sees no scheduler header: it knows hooks.h and nothing else of the runtime.
//
// Glossary
//   task      what the detector knows of one coroutine or pthread: its clock, its epoch, its frame records.
//   who       index of one *incarnation*: a task's identity in reports, kept after its end (ids are reused, whos are not).
//   clock     vector clock: for each logical thread id, how much of it happened before now.
//   epoch     (logical id, clock value) of one stretch of a task between two releases; an *epoch id* names it in 30 bits.
//   cell      64 bits of shadow: epoch id, byte mask, stack id. Each application word has a read and a write cell.
//   aside     a word whose history does not fit its two cells; they then name a side record.
//   node      one calling context: (parent node, return address). A *stack id* names (node, pc).
#ifndef CSP_RTL_RTL_H
#define CSP_RTL_RTL_H

#include "hooks.h"
#include "layout.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct cspr_task cspr_task;
typedef struct cspr_sync cspr_sync;
typedef uint32_t cspr_stack; // stack id; 0: not known
typedef uint32_t cspr_who;   // incarnation; 0: nobody known

// What the detector keeps per OS thread. Reached through one initial-exec thread-local.
typedef struct cspr_thread {
    cspr_task *task; // the running task; NULL on a worker between coroutines and on unknown threads
    uint32_t in_rtl; // > 0: inside the detector
    uint32_t ignore; // > 0: hooks ignore_begin: what runs is the runtime's own business
    bool is_worker;  // a thread of the runtime: has no task of its own
    bool is_known;   // registered (task created or worker)
    bool dead;       // thread-local destructors ran: nothing is recorded any more
} cspr_thread;

extern __thread cspr_thread cspr_self __attribute__((tls_model("initial-exec")));
extern __thread uint64_t __csp_current __attribute__((tls_model("initial-exec"), visibility("default")));
extern __thread uint64_t __csp_current_shared __attribute__((tls_model("initial-exec"), visibility("default")));
extern __thread csp_frame *__csp_top __attribute__((tls_model("initial-exec"), visibility("default")));
extern __thread const csp_site *__csp_site __attribute__((tls_model("initial-exec"), visibility("default")));

#define CSPR_LIKELY(x) __builtin_expect(!!(x), 1)
#define CSPR_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define CSPR_NOINLINE __attribute__((noinline))
#define CSPR_INTERFACE __attribute__((visibility("default")))

// True when interceptors should only call through: inside the detector, in the runtime's own work, or no task here.
static inline bool cspr_bypass(void)
{
    return cspr_self.in_rtl || cspr_self.ignore || cspr_self.dead || (cspr_self.is_worker && !cspr_self.task);
}

static inline void cspr_enter(void)
{
    cspr_self.in_rtl++;
}
// intercept_signal.c: asynchronous signals that arrived inside the detector are queued; the handlers run when the outermost
// stay ends (rule G1).
extern __thread volatile int cspr_signals_pending __attribute__((tls_model("initial-exec")));
void cspr_signals_deliver(void);
static inline void cspr_leave(void)
{
    if (--cspr_self.in_rtl == 0 && CSPR_UNLIKELY(cspr_signals_pending))
        cspr_signals_deliver();
}

// --- init.c ------------------------------------------------------------------------------------------------------------
// Sets up shadow, options, tables, main's task; idempotent, runs from .preinit_array before any constructor.
void cspr_init(void);
extern bool cspr_ready;      // true once cspr_init has finished
extern bool cspr_main_began; // exit.c calls main

// --- task.c ------------------------------------------------------------------------------------------------------------
// The running task, registering an unknown pthread on the way; NULL when this thread's doings are not the program's.
cspr_task *cspr_task_current(void);
// A pthread: `creator`'s events so far happen before the new task's (pthread_create). Called by the creator.
cspr_task *cspr_task_new_thread(cspr_task *creator, cspr_stack creation);
void cspr_task_attach(cspr_task *t);   // first thing on the new thread: it now runs t
void cspr_task_detach_ended(void);     // the calling thread ends: its task's last event
void cspr_task_join(cspr_task *ended); // current task joins an ended pthread's clock (pthread_join), then releases it
void cspr_task_drop(cspr_task *ended); // releases an ended pthread that nobody will join
void cspr_task_set_name(cspr_task *t, const char *name); // copies; shown in reports

typedef enum cspr_kind { CSPR_KIND_MAIN, CSPR_KIND_COROUTINE, CSPR_KIND_THREAD } cspr_kind;

// A task's identity for reports. Entries are never freed, so a who stays valid.
typedef struct cspr_identity {
    cspr_kind kind;
    uint64_t id; // csp_id() of a coroutine; T-number of a thread
    pid_t tid;   // OS thread for threads
    cspr_who creator;
    cspr_stack creation;  // stack of csp_go or pthread_create
    cspr_stack end;       // of csp_exit, when it ended so; 0: it returned, or has not ended
    uintptr_t entry;      // the function that a coroutine runs; 0: not known
    const csp_site *site; // of that call, or NULL
    bool finished;
    char name[32];
    uintptr_t stack_lo, stack_hi; // its stack, while it lives
} cspr_identity;
void cspr_who_get(cspr_who who, cspr_identity *out);
cspr_who cspr_task_who(const cspr_task *t);
// The who whose live stack contains addr, 0 if none (for "Location is stack of ...").
cspr_who cspr_who_of_stack(uintptr_t addr);

// The parked task's stack from its frame records, innermost first, as cspr_stack_frames gives it. frames[0] is a place in
// the runtime's public function it is parked in.
size_t cspr_task_parked_frames(const cspr_task *t, uintptr_t *frames, size_t max);

// Locks the task holds now, newest last; returns how many were written.
typedef struct cspr_held {
    const void *lock;
    int mode;         // enum csp_lock_mode
    cspr_stack stack; // where it was taken
    uint32_t id;      // lock_order.h; 0: not asked for yet
} cspr_held;
size_t cspr_task_held(const cspr_task *t, cspr_held *out, size_t max);

// --- access.c ----------------------------------------------------------------------------------------------------------
// Checks and records an access of the current task with the given stack. Any size; races are reported before it returns
// (no lock held). Does nothing without a task.
void cspr_access(uintptr_t addr, size_t size, bool is_write, cspr_stack stack);
// malloc and free (rule A8): the range as written by the current task; `is_free` also forgets sync objects in it.
void cspr_access_alloc(uintptr_t addr, size_t size, cspr_stack stack);
void cspr_access_free(uintptr_t addr, size_t size, cspr_stack stack, cspr_stack allocation);
// What is freed is no block: if one was freed there before, the two frees conflict.
void cspr_access_free_again(uintptr_t addr, cspr_stack stack);
// Forgets everything about a range: new stacks, fresh or vanished mappings. No check.
void cspr_shadow_forget(uintptr_t lo, uintptr_t hi);

// --- shadow.c: around fork; the process's other threads may be anywhere ----------------------------------------------------
void cspr_core_before_fork(void);
void cspr_core_after_fork(bool in_child);

// --- sync.c: order through objects named by address; each does nothing without a task -------------------------------------
void cspr_acquire(const void *obj, cspr_task *t);
void cspr_release(const void *obj, cspr_task *t);
void cspr_release_merge(const void *obj, cspr_task *t);
void cspr_sync_reset(const void *obj);
// mode: enum csp_lock_mode with CSP_LOCK_TRY, CSPR_LOCK_FAIR (lock_order.h). Tells of cycles in the order of locks.
void cspr_locked(const void *lock, int mode, cspr_task *t, cspr_stack stack);
void cspr_unlocking(const void *lock, int mode, cspr_task *t);
void cspr_unlocking_for_good(const void *lock, int mode, cspr_task *t); // of a lock that may not exclude

// --- depot.c: calling contexts --------------------------------------------------------------------------------------------
// The stack id of `pc` executed in the function of the current top record. leaf_ret as in abi.inc.
cspr_stack cspr_stack_here(void *pc, void *leaf_ret);
// Innermost first: frames[0] is the pc itself, frames[i>0] are return addresses. A composite id (rule A2) is resolved for
// the first byte of byte_mask. Returns the count; *folded is set when recursion was folded (rule C1).
size_t cspr_stack_frames(cspr_stack s, unsigned byte_mask, uintptr_t *frames, size_t max, bool *folded);

// --- channel objects (hooks.c) --------------------------------------------------------------------------------------------
typedef struct cspr_chan_info {
    const void *chan;
    size_t cap, elem_size;
    cspr_stack creation;
    const csp_site *site; // of csp_chan_new, or NULL
    cspr_who creator;
} cspr_chan_info;
void cspr_chan_get(void *ch, cspr_chan_info *out);

// --- report.c --------------------------------------------------------------------------------------------------------------
typedef struct cspr_side {
    cspr_who who;
    uintptr_t addr; // first byte this access touched (of the previous one: of what the record still says)
    size_t size;
    bool is_write, is_atomic, is_alloc, is_free;
    cspr_stack stack;
    unsigned byte_mask; // bytes of the conflicting word, to resolve a composite stack
    cspr_held held[16];
    size_t n_held;
} cspr_side;
// How far the current side is ordered after the previous one.
typedef enum cspr_order { CSPR_ORDER_NONE, CSPR_ORDER_UP_TO } cspr_order;
typedef struct cspr_race {
    uintptr_t addr; // first conflicting byte
    cspr_side current, previous;
    cspr_order order;
    cspr_stack freed_allocation; // of the block that the previous side freed, 0: not known
    cspr_stack last_seen;        // UP_TO: the previous side's release (depot.h: cspr_depot_release); 0: not known which
} cspr_race;
// Symbolizes, deduplicates, suppresses and prints. Called by the racing thread, without locks, in_rtl > 0.
void cspr_report_race(const cspr_race *race);

// The stack of the current task, and of a parked one, on standard error for the runtime's panics and dumps; false: not able.
bool cspr_print_stack(void);
bool cspr_print_stack_of(const cspr_task *t);

// --- exit.c ----------------------------------------------------------------------------------------------------------------
// Hook before_exit: the runtime ends the process itself (panic, deadlock): print "reported N warnings" if there were any.
void cspr_before_exit(void);

// --- interface_common.c ------------------------------------------------------------------------------------------------------
// The process is about to end because of us: the program's death callback runs, once.
void cspr_last_words(void);

// --- start-up of the outside, called by cspr_init in this order ---------------------------------------------------------------
void cspr_flags_init(void);     // first of all: options are needed by everything, cspr_die included
void cspr_intercept_init(void); // finds the real libc functions
void cspr_heap_init(void);      // bitmap of block starts
void cspr_suppress_init(void);
void cspr_exit_init(void); // last, when main's task exists: exit handlers, fork handlers

// --- heap.c ---------------------------------------------------------------------------------------------------------------
typedef struct cspr_block {
    uintptr_t start;
    size_t size;
    cspr_stack alloc_stack;
    cspr_who alloc_who;
} cspr_block;
bool cspr_heap_find(uintptr_t addr, cspr_block *out); // the live block containing addr

// --- flags.c: CSPTHREAD_OPTIONS ---------------------------------------------------------------------------------------------
typedef struct cspr_flags_t {
#define CSPR_FLAG_int int
#define CSPR_FLAG_bool bool
#define CSPR_FLAG_string const char *
#define CSPR_FLAG_u64 uint64_t
#define FLAG(type, name, value, help) CSPR_FLAG_##type name;
#include "flags.inc"
#undef FLAG
} cspr_flags_t;
extern cspr_flags_t cspr_flags;

// --- print.c ----------------------------------------------------------------------------------------------------------------
// One line "CspThreadSanitizer: ..." on standard error (or log_path). Async-signal-safe, no allocation. printf subset.
void cspr_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
// Our own bug or a start that cannot go on: says why and ends the process with the exitcode option's status.
void cspr_die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
#define CSPR_CHECK(x) ((x) ? (void)0 : cspr_die("internal check failed: %s at %s:%d", #x, __FILE__, __LINE__))
#endif
