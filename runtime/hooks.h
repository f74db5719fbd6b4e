// hooks.h - the one table between the runtime and a detector; nothing at all in a build without the sanitizer.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The runtime is compiled twice from one source. With CSP_HOOKS=1 every point at which the Go memory model gives (or
// denies) an order calls a function of `cspi_hooks`; the table starts out pointing at functions that do nothing, and the
// detector replaces it before the program's first constructor. With CSP_HOOKS=0 the macro CSP_HOOK() is empty, so a
// plain program pays nothing. The runtime never includes a header of the detector; the detector includes only this file.
//
// Vocabulary: a *task* is what the detector knows of a coroutine or pthread (opaque here). "The current task" is the one
// running on the calling OS thread. `task` arguments may be NULL, meaning the current task; otherwise the task is parked
// and the caller holds the lock that keeps it so. No hook parks, and none is called twice for one event.
#ifndef CSP_RUNTIME_HOOKS_H
#define CSP_RUNTIME_HOOKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// One source location at which a runtime or pthread function is called, emitted by the compiler plugin as a constant.
// `text` is the channel, lock or function as written there ("results"), "" when there is none.
typedef struct csp_site {
    const char *file;
    const char *text;
    uint32_t line;
    uint32_t column;
} csp_site;

// A frame record: one per active function that calls others, linked from the thread-local __csp_top (rule C1).
// Compiled programs keep one in each such frame; the runtime's public functions push one with CSPI_FRAME().
typedef struct csp_frame {
    struct csp_frame *prev;
    void *ret;     // the function's own return address: a place in its caller
    uint64_t node; // interned calling-context node, 0 until the detector needs it
} csp_frame;

enum csp_lock_mode {
    CSP_LOCK_WRITE = 0,
    CSP_LOCK_READ = 1,
    CSP_LOCK_TRY = 2, // or-ed to these: taken by a try, or by a wait with a limit of time, which cannot deadlock
};
enum csp_chan_use { CSP_CHAN_USE_SEND, CSP_CHAN_USE_RECV, CSP_CHAN_USE_CLOSE, CSP_CHAN_USE_FREE, CSP_CHAN_USE_LOOK };

// What a leak check is about. Lists of patterns end with NULL; a list that is NULL is empty.
typedef struct csp_leak_query {
    bool always_says;      // a line also when nothing is found
    bool print;            // as at exit: a report for each group, which counts for the exit status
    bool reachable_too;    // also those who are parked though somebody might wake them
    uint64_t since_id;     // only coroutines with at least this number
    const char *label_key; // NULL: all; else only those with this label
    const char *label_value;
    const char *const *ignore_top, *const *ignore_any, *const *ignore_created_by; // functions
} csp_leak_query;

typedef struct csp_leak_found {
    bool is_stuck; // else only parked
    const char *waiting, *function, *file, *created_by;
    unsigned line;
    size_t count;
    uint64_t first_id;
    int64_t longest_ns;
    size_t bytes;
} csp_leak_found;

// What a task is about to do at a *choice point*, where a controlled schedule may let another one go on instead.
// OP(name, its word in schedule files and timelines, 1: it may change the object)
#define CSP_OP_TABLE(OP)                                                                                               \
    OP(NONE, "none", 0)                                                                                                \
    OP(GO, "go", 1)                                                                                                    \
    OP(YIELD, "yield", 0)                                                                                              \
    OP(SLEEP, "sleep", 0)                                                                                              \
    OP(CLOCK, "clock", 0)                                                                                              \
    OP(BLOCKING, "blocking", 0)                                                                                        \
    OP(END, "end", 1)                                                                                                  \
    OP(SEND, "send", 1)                                                                                                \
    OP(RECV, "recv", 1)                                                                                                \
    OP(TRY_SEND, "try-send", 1)                                                                                        \
    OP(TRY_RECV, "try-recv", 1)                                                                                        \
    OP(CLOSE, "close", 1)                                                                                              \
    OP(LEN, "len", 0)                                                                                                  \
    OP(SELECT, "select", 1)                                                                                            \
    OP(CASE, "case", 0)                                                                                                \
    OP(LOCK, "lock", 1)                                                                                                \
    OP(TRY_LOCK, "try-lock", 1)                                                                                        \
    OP(UNLOCK, "unlock", 1)                                                                                            \
    OP(RLOCK, "rlock", 1)                                                                                              \
    OP(TRY_RLOCK, "try-rlock", 1)                                                                                      \
    OP(RUNLOCK, "runlock", 1)                                                                                          \
    OP(WG_ADD, "wg-add", 1)                                                                                            \
    OP(WG_WAIT, "wg-wait", 0)                                                                                          \
    OP(COND_WAIT, "cond-wait", 1)                                                                                      \
    OP(SIGNAL, "signal", 1)                                                                                            \
    OP(BROADCAST, "broadcast", 1)                                                                                      \
    OP(WAKE, "wake", 0)                                                                                                \
    OP(ONCE, "once", 1)                                                                                                \
    OP(ACQUIRE, "acquire", 1)                                                                                          \
    OP(TRY_ACQUIRE, "try-acquire", 1)                                                                                  \
    OP(RELEASE, "release", 1)                                                                                          \
    OP(BARRIER, "barrier", 1)                                                                                          \
    OP(TIMER, "timer", 1)                                                                                              \
    OP(CONTEXT, "context", 0)                                                                                          \
    OP(CANCEL, "cancel", 1)                                                                                            \
    OP(GROUP, "group", 1)                                                                                              \
    OP(MAP_READ, "map-read", 0)                                                                                        \
    OP(MAP_WRITE, "map-write", 1)                                                                                      \
    OP(IO, "io", 1)                                                                                                    \
    OP(LOAD, "load", 0)                                                                                                \
    OP(STORE, "store", 1)                                                                                              \
    OP(UPDATE, "update", 1) /* an atomic read-modify-write */                                                          \
    OP(FENCE, "fence", 1)                                                                                              \
    OP(READ, "read", 0) /* plain accesses */                                                                           \
    OP(WRITE, "write", 1)                                                                                              \
    OP(THREAD_CREATE, "thread-create", 1)                                                                              \
    OP(THREAD_JOIN, "thread-join", 1)                                                                                  \
    OP(THREAD, "thread", 1) /* detach, cancel, ... */                                                                  \
    OP(KILL, "kill", 1)                                                                                                \
    OP(PROCESS, "process", 1) /* fork, wait */                                                                         \
    OP(EXIT, "exit", 1)

enum csp_op {
#define CSP_OP_NAME(name, text, changes) CSP_OP_##name,
    CSP_OP_TABLE(CSP_OP_NAME)
#undef CSP_OP_NAME
        CSP_OPS
};

struct csp_co;

// An exploration: what csp_explore asks for, and what came of it (csp/explore.h).
typedef struct csp_exploration {
    void (*fn)(void *arg);
    void *arg;
    const char *strategy; // NULL: portfolio
    uint64_t seed, count;
    int64_t time_ns;
    unsigned depth;
    // --- results
    uint64_t schedules, interleavings, failing, findings, first_seed, tasks, points;
    double bound;
} csp_exploration;

// HOOK(return type, name, (parameters), (arguments), value when no detector is there)
#define CSP_HOOK_TABLE(HOOK)                                                                                                   \
    /* --- tasks ------------------------------------------------------------------------------------------------- */          \
    /* A coroutine is being created by the current task: its events so far happen before the new task's first step.     \
       [stack_lo, stack_hi) is the new stack; what was recorded about that memory is forgotten. */      \
    HOOK(void *, task_new, (uint64_t id, void *stack_lo, void *stack_hi, const csp_site *site),                                \
         (id, stack_lo, stack_hi, site), NULL)                                                                                 \
    /* As task_new, but the order comes from a snapshot (a timer's function) instead of the current task. */                   \
    HOOK(void *, task_new_from, (uint64_t id, void *stack_lo, void *stack_hi, void *snapshot),                                 \
         (id, stack_lo, stack_hi, snapshot), NULL)                                                                             \
    HOOK(void *, task_current, (void), (), NULL) /* the calling pthread's own task: main's, or a foreign thread's */           \
    HOOK(void, task_name, (void *task, const char *name), (task, name), )                                                      \
    HOOK(void, task_leave, (void),                                                                                             \
         (), ) /* the current task stops running here; next: task_enter, perhaps elsewhere */                                  \
    HOOK(void, task_enter, (void *task), (task), )                                                                             \
    HOOK(void, task_end, (void), (), ) /* the current task's last event; replaces task_leave. No edge by itself. */            \
    HOOK(void, task_entry, (void *task, void (*fn)(void)), (task, fn), ) /* the function that a new coroutine runs */          \
    HOOK(void, task_exits, (void), (), ) /* the current task, a coroutine, ends by csp_exit: task_end comes next */            \
    HOOK(void, worker_start, (void),                                                                                           \
         (), ) /* this OS thread is the runtime's: what it does itself is not the program's */                                 \
    HOOK(void, ignore_begin, (void), (), ) /* what this thread does until ignore_end is the runtime's own (nests) */           \
    HOOK(void, ignore_end, (void), (), )                                                                                       \
    HOOK(void, forget, (void *lo, void *hi), (lo, hi), ) /* a stack is used anew: what was recorded about it goes */           \
    HOOK(const csp_site *, take_site, (void), (),                                                                              \
         NULL) /* the site the program set just before this call, then NULL */                                                 \
    /* --- accesses, made by the current task inside the calling function ------------------------------------------ */        \
    HOOK(void, read_range, (const void *p, size_t n), (p, n), )                                                                \
    HOOK(void, write_range, (void *p, size_t n), (p, n), )                                                                     \
    /* --- order through an object, named by its address ------------------------------------------------------------ */       \
    HOOK(void, acquire, (const void *obj, void *task), (obj, task), )       /* task joins obj's clock */                       \
    HOOK(void, release, (const void *obj, void *task), (obj, task), )       /* obj's clock := task's */                        \
    HOOK(void, release_merge, (const void *obj, void *task), (obj, task), ) /* obj's clock joins task's */                     \
    HOOK(void, sync_reset, (const void *obj), (obj), )                      /* obj's clock := nothing */                       \
    /* A semaphore, under its lock, before it changes: k units are released / task takes k; it has `before`. */                \
    HOOK(void, sem_release, (const void *sem, int64_t before, int64_t k), (sem, before, k), )                                  \
    HOOK(void, sem_take, (const void *sem, int64_t before, int64_t k, void *task), (sem, before, k, task), )                   \
    /* A lock was taken / is about to be released: the edge, and the set of locks the task holds. */                           \
    HOOK(void, locked, (const void *lock, int mode, void *task, const csp_site *site), (lock, mode, task, site), )             \
    HOOK(void, unlocking, (const void *lock, int mode), (lock, mode), )                                                        \
    /* The current task is about to park for a lock, without a limit of time. */                                               \
    HOOK(void, lock_wait, (const void *lock, int mode), (lock, mode), )                                                        \
    /* --- snapshots: "what the current task knew then", for timers and cancellation -------------------------------- */       \
    HOOK(void *, snapshot_new, (void), (), NULL)                                                                               \
    HOOK(void, snapshot_free, (void *snapshot), (snapshot), )                                                                  \
    HOOK(void, snapshot_acquire, (void *snapshot, void *task), (snapshot, task), )                                             \
    /* --- channels; slot is the operation's number modulo the capacity; the channel's lock is held ----------------- */       \
    HOOK(void *, chan_new, (const void *chan, size_t cap, size_t elem_size, const csp_site *site),                             \
         (chan, cap, elem_size, site), NULL)                                                                                   \
    HOOK(void, chan_free, (void *ch), (ch), )                                                                                  \
    /* At the entry of every operation, before any order it makes: send and close of one channel conflict (F1), and     \
       free conflicts with everything. */      \
    HOOK(void, chan_use, (void *ch, int use), (ch, use), )                                                                     \
    HOOK(void, chan_send, (void *ch, size_t slot, void *task), (ch, slot, task), )                                             \
    HOOK(void, chan_recv, (void *ch, size_t slot, void *task), (ch, slot, task), )                                             \
    HOOK(void, chan_send_snapshot, (void *ch, size_t slot, void *snapshot), (ch, slot, snapshot), )                            \
    HOOK(void, chan_rendezvous, (void *ch, void *partner),                                                                     \
         (ch, partner), ) /* unbuffered: each side joins the other */                                                          \
    HOOK(void, chan_close, (void *ch), (ch), )                                                                                 \
    HOOK(void, chan_recv_closed, (void *ch, void *task), (ch, task), )                                                         \
    /* --- controlled schedules; called only if cspi_controlled ------------------------------------------------------ */      \
    HOOK(void, schedule_begin, (void), (), ) /* the runtime's first act */                                                     \
    HOOK(void, point, (int op, const void *obj), (op, obj), )                                                                  \
    HOOK(void, point_idle, (int op, const void *obj), (op, obj), ) /* it was, or is, in vain: others first */                  \
    HOOK(uint32_t, choose, (uint32_t n), (n), 0)                   /* a number below n */                                      \
    HOOK(uint64_t, random, (void), (), 0)                                                                                      \
    HOOK(int64_t, clock, (void), (), 0)                     /* virtual; no point */                                            \
    HOOK(bool, rest, (int64_t grace_ns), (grace_ns), false) /* the process ends: others go on until none can */                \
    /* A worker, as one that may be given the turn. Of those that are not away the first runs all coroutines. */               \
    HOOK(void *, carrier_new, (void), (), NULL)                                                                                \
    /* The current task is a coroutine on this thread, which is that worker's, from now on; it keeps the thread, and the  \
       worker gets another one, or is away. */    \
    HOOK(void, carrier_take, (void *carrier, struct csp_co *co), (carrier, co), )                                              \
    HOOK(void, carrier_leave, (void *carrier, bool away), (carrier, away), )                                                   \
    /* The task can go on, on a worker as co (NULL: on its own thread); it cannot; the current one, which cannot, waits. */    \
    HOOK(void, co_ready, (void *task, struct csp_co *co), (task, co), )                                                        \
    HOOK(void, co_parks, (void *task), (task), )                                                                               \
    HOOK(void, co_wait, (void), (), )                                                                                          \
    /* A worker's loop asks which coroutine to run; waits while it is no coroutine's turn. NULL: timers are due, ask again. */ \
    HOOK(struct csp_co *, next_co, (void *carrier), (carrier), NULL)                                                           \
    /* --- ends ----------------------------------------------------------------------------------------------------- */       \
    HOOK(bool, print_stack, (void), (), false) /* the current stack on stderr, symbolized; false: not able */                  \
    HOOK(bool, print_stack_of, (void *task), (task), false)                                                                    \
    HOOK(void, all_asleep, (void), (), ) /* who waits for whom, on stderr, after the runtime's own words */                    \
    /* Finds coroutines that nobody will wake; calls tell for each group. The number of coroutines. */                         \
    HOOK(size_t, leak_check,                                                                                                   \
         (const csp_leak_query *q, void (*tell)(const csp_leak_found *found, void *arg), void *arg), (q, tell, arg),           \
         0)                                                                                                                    \
    HOOK(int, leak_signal, (void), (), 0) /* at which signal the runtime is to ask leak_check; 0: none */                      \
    /* An exploration comes, perhaps before the runtime has started (false: no detector); it is made, by main. */              \
    HOOK(bool, explore_wanted, (void), (), false)                                                                              \
    HOOK(void, explore, (csp_exploration * e), (e), )                                                                          \
    /* A panic or fatal error, but for all_asleep: what was said of it. pc: where; NULL: in the calling function's callers. */ \
    HOOK(void, ending, (const char *kind, const char *message, const void *pc), (kind, message, pc), )                         \
    HOOK(void, before_exit, (void), (), ) /* the runtime ends the process with status 2: last words */

typedef struct csp_hook_table {
#define CSP_HOOK_FIELD(ret, name, params, args, value) ret(*name) params;
    CSP_HOOK_TABLE(CSP_HOOK_FIELD)
#undef CSP_HOOK_FIELD
} csp_hook_table;

// --- what the detector asks the runtime (leak check) -------------------------------------------------------------------

enum csp_wait_op {
    CSP_WAIT_NONE, // runnable or running
    CSP_WAIT_SEND,
    CSP_WAIT_RECV,
    CSP_WAIT_SELECT,
    CSP_WAIT_MUTEX,
    CSP_WAIT_RLOCK,
    CSP_WAIT_WLOCK,
    CSP_WAIT_WG,
    CSP_WAIT_COND,
    CSP_WAIT_ONCE,
    CSP_WAIT_SEM,
    CSP_WAIT_SLEEP,
    CSP_WAIT_IO,
    CSP_WAIT_OTHER
};

typedef struct csp_case_view {
    int op;               // CSP_WAIT_SEND or CSP_WAIT_RECV
    const void *chan;     // NULL: a nil channel
    void *ch;             // the detector's own channel object (chan_new's result), NULL for a nil channel
    const csp_site *site; // where the case was built, NULL when unknown
} csp_case_view;

typedef struct csp_label_view {
    const char *key;
    const char *value;
} csp_label_view;

// One live coroutine, as it stands while the runtime is at rest. Pointers are valid during the callback only.
typedef struct csp_co_view {
    uint64_t id;
    const char *name; // NULL: none
    void *task;
    int op;              // enum csp_wait_op
    const char *waiting; // "chan send": what dumps call the wait; NULL: not parked. Valid for ever
    bool parked;         // false: running or runnable
    bool will_wake;      // a timer or descriptor is about to wake it (sleep, select with a timeout, I/O): never a leak
    bool is_main;
    bool is_daemon; // meant to run until the process ends
    const csp_label_view *labels;
    size_t n_labels;
    const void *obj;            // lock, wait group, ... or channel waited on; NULL for a nil channel or a select
    void *ch;                   // the detector's channel object for send and receive
    const csp_site *site;       // of the call that parked
    int64_t since_ns;           // when it parked, on csp_now()'s clock
    const csp_case_view *cases; // select only
    size_t n_cases;
    bool is_foreign; // a pthread of the program
    uintptr_t sp; // of one that does not run: its frames begin here; 0: it runs, or its thread does while it is parked
    uintptr_t stack_hi; // where its frames end; 0: main's, a thread's
    bool runs;          // at this moment, or its thread is parked: labels are not known
    const void *co;     // the runtime's own
    void *created_at;   // builds without the sanitizer: where csp_go returned to; NULL: unknown
} csp_co_view;

typedef struct csp_runtime_view {
    // --- controlled schedules; called by who has the turn
    void (*keep_thread)(void); // what runs is bound to this thread from now on, which may block
    void (*switch_away)(void); // from a coroutine to its worker's loop, which asks next_co
    int64_t (*first_timer)(void);
    int64_t (*first_lively_timer)(void); // without those that fire for ever
    bool (*timers_may_wake)(void);       // provided that nobody can go on
    bool (*poll)(void);                  // readies who waits for descriptors that are ready; true: somebody
    // Whether is(fd) of any descriptor that a coroutine waits for.
    bool (*any_polled)(bool (*is)(int fd, void *arg), void *arg);
    // Nobody can ever go on: ends the process, unless there are more threads than n_threads of the program's, and the
    // runtime's own, or signals may wake somebody.
    void (*all_asleep)(unsigned n_threads);
    // ---
    size_t (*count)(void);
    int64_t (*now_ns)(void);
    // Lets every coroutine that can run do so until all are at rest or grace_ns have passed; true: at rest. Called once,
    // by the thread that ends the program, which may be a coroutine (also main) or a foreign pthread.
    bool (*quiesce)(int64_t grace_ns);
    // Calls fn for each live coroutine, under the runtime's registry lock: fn neither parks nor calls the runtime.
    void (*each)(void (*fn)(const csp_co_view *co, void *arg), void *arg);
    // Holds all workers but the caller's until unpause, so that stacks of those that do not run stand still; waits up to
    // limit_ns for those at work. True: all stand. One caller at a time.
    bool (*pause)(int64_t limit_ns);
    void (*unpause)(void);
    // Calls fn with what the runtime itself will use by and by: armed timers, and channels and contexts that signals go to.
    void (*each_root)(void (*fn)(const void *root, void *arg), void *arg);
    // Between pause and unpause: the OS thread is the runtime's and runs nothing of the program's.
    bool (*is_idle_thread)(int tid);
    // Where the runtime's own stack ends that sp is in; 0: in none. No lock.
    uintptr_t (*stack_end)(uintptr_t sp);
    // The counter of a wait group; -1: it is not there any more.
    int64_t (*wg_count)(const void *wg);
} csp_runtime_view;

#if CSP_HOOKS
// Set by the detector before the program's first constructor: one task runs at a time, and choices are made by hooks.
extern __attribute__((visibility("hidden"))) bool cspi_controlled;
extern const csp_hook_table *cspi_hooks;          // never NULL; the detector stores its own table here, once
extern const csp_runtime_view *cspi_runtime_view; // NULL until the runtime has started
extern __thread csp_frame *__csp_top __attribute__((tls_model("initial-exec")));
#define CSP_HOOK(name, ...) (cspi_hooks->name(__VA_ARGS__))
#define CSP_HOOK_VALUE(name, otherwise, ...) (cspi_hooks->name(__VA_ARGS__))

static inline void cspi_frame_pop(csp_frame *f)
{
    __csp_top = f->prev;
}
#define CSPI_CONTROLLED() __builtin_expect(cspi_controlled, 0)
// Before what a public function does, with no lock held: another task may go on here instead.
#define CSPI_POINT(op, obj) (CSPI_CONTROLLED() ? cspi_hooks->point(CSP_OP_##op, obj) : (void)0)
#define CSPI_POINT_IDLE(op, obj) (CSPI_CONTROLLED() ? cspi_hooks->point_idle(CSP_OP_##op, obj) : (void)0)

// First statement of every public function that calls hooks: stacks then show the function and its caller's line.
#define CSPI_FRAME()                                                                                                   \
    csp_frame cspi_frame_here __attribute__((cleanup(cspi_frame_pop))) = {__csp_top, __builtin_return_address(0), 0};  \
    __csp_top = &cspi_frame_here
#else
#define CSP_HOOK(name, ...) ((void)0)
#define CSP_HOOK_VALUE(name, otherwise, ...) (otherwise)
#define CSPI_FRAME() ((void)0)
#define CSPI_CONTROLLED() false
#define CSPI_POINT(op, obj) ((void)0)
#define CSPI_POINT_IDLE(op, obj) ((void)0)
#endif

#ifdef __cplusplus
}
#endif
#endif
