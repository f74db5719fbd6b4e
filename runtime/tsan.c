// tsan.c - the hooks that tell stock ThreadSanitizer of coroutines and of the order that channels and locks make.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Part of libcsp_for_tsan.a, which programs built with -fsanitize=thread link in place of libcsp.a: the runtime with its hooks
// (not instrumented itself: its own atomics and locks are nobody's order), and this table behind them. Coroutines are
// fibers, switched to without synchronisation, so that only the edges of docs/happens-before.md order them.
// What stock ThreadSanitizer cannot be told, always on the side of silence:
//   - objects' clocks only grow (its release joins), so an edge once made stays with the object;
//   - what one timer's creator knew stays with the scheduler's fiber that served it;
//   - a stack's memory cannot be forgotten: the end of a coroutine is ordered before the next one on the same stack.
// It knows 8128 fibers at a time and ends the program at the next one.
#include "hooks.h"

#include "csp/go.h"

#include <stdlib.h>
#include <unistd.h>

// As in LLVM's sanitizer/tsan_interface.h; declared here, since this file is not compiled with the sanitizer.
void *__tsan_get_current_fiber(void);
void *__tsan_create_fiber(unsigned flags);
void __tsan_destroy_fiber(void *fiber);
void __tsan_switch_to_fiber(void *fiber, unsigned flags);
void __tsan_set_fiber_name(void *fiber, const char *name);
void __tsan_acquire(void *obj);
void __tsan_release(void *obj);
void __tsan_read_range_pc(void *p, unsigned long n, void *pc);
void __tsan_write_range_pc(void *p, unsigned long n, void *pc);
void AnnotateIgnoreReadsBegin(const char *file, int line);
void AnnotateIgnoreReadsEnd(const char *file, int line);
void AnnotateIgnoreWritesBegin(const char *file, int line);
void AnnotateIgnoreWritesEnd(const char *file, int line);
#define SWITCH_NO_SYNC 1u

typedef struct task {
    void *fiber;
    void *stack; // NULL: a thread's own, which is not ours to end
} task;

// ThreadSanitizer names a clock by the address of 8 bytes.
typedef struct chan {
    uint64_t use, closed, there, back;
    size_t cap;
    struct {
        uint64_t sent, received;
    } slots[];
} chan;

__thread csp_frame *__csp_top __attribute__((tls_model("initial-exec"))); // CSPI_FRAME keeps it; nobody reads it here

// The fiber that a thread is while no task runs on it.
static __thread void *base_fiber;
static __thread void *own_task;

static csp_hook_table table;

static __thread int ignoring;

// For it malloc and free are writes of the block; ours are nobody's.
static void ignore_begin(void)
{
    ignoring++;
    AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
    AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
}

static void ignore_end(void)
{
    ignoring--;
    AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
    AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
}

static void *new_or_die(size_t size)
{
    ignore_begin();
    void *p = calloc(1, size);
    ignore_end();
    if (!p)
        csp_panic("out of memory: no room for what ThreadSanitizer is told");
    return p;
}

static void free_ours(void *p)
{
    ignore_begin();
    free(p);
    ignore_end();
}

static void switch_to(void *fiber)
{
    __tsan_switch_to_fiber(fiber, SWITCH_NO_SYNC);
}

// --- tasks ---------------------------------------------------------------------------------------------------------------

static void *task_new(uint64_t id, void *stack_lo, void *stack_hi, const csp_site *site)
{
    (void)id, (void)stack_hi, (void)site;
    task *t = new_or_die(sizeof *t);
    t->fiber = __tsan_create_fiber(0); // after what the creator did so far
    t->stack = stack_lo;
    return t;
}

// The creator, a scheduler's fiber, has nothing in its clock that orders the program.
static void *task_new_from(uint64_t id, void *stack_lo, void *stack_hi, void *snapshot)
{
    task *t = task_new(id, stack_lo, stack_hi, NULL);
    if (snapshot)
        table.snapshot_acquire(snapshot, t);
    return t;
}

// Also gives the thread a fiber for when it waits: others then speak for its task (on_behalf).
static void *task_current(void)
{
    if (!own_task) {
        task *t = new_or_die(sizeof *t);
        t->fiber = __tsan_get_current_fiber();
        own_task = t;
    }
    if (!base_fiber)
        base_fiber = __tsan_create_fiber(0);
    return own_task;
}

static void worker_start(void)
{
    if (!base_fiber)
        base_fiber = __tsan_get_current_fiber();
}

static void task_name(void *t, const char *name)
{
    __tsan_set_fiber_name(t ? ((task *)t)->fiber : __tsan_get_current_fiber(), name);
}

static __thread task *running; // the task that is current here, NULL: the thread's own

static void task_enter(void *t)
{
    running = t;
    switch_to(running->fiber);
    if (running->stack)
        __tsan_acquire(running->stack); // what the stack's earlier users did on it
}

static void task_leave(void)
{
    switch_to(base_fiber);
}

static void task_end(void)
{
    task *t = running;
    if (!t || !t->stack) { // main's: its thread ends it
        switch_to(base_fiber);
        return;
    }
    __tsan_release(t->stack);
    switch_to(base_fiber);
    __tsan_destroy_fiber(t->fiber);
    free_ours(t);
}

// --- order -----------------------------------------------------------------------------------------------------------------

// Runs one annotation as another task, which is parked.
static void on_behalf(void *t, void (*annotate)(void *), void *obj)
{
    if (!t) {
        annotate(obj);
        return;
    }
    void *me = __tsan_get_current_fiber();
    switch_to(((task *)t)->fiber);
    annotate(obj);
    switch_to(me);
}

static void acquire(const void *obj, void *t)
{
    on_behalf(t, __tsan_acquire, (void *)obj);
}

static void release(const void *obj, void *t)
{
    on_behalf(t, __tsan_release, (void *)obj);
}

// Readers' releases go to a clock of their own, so that one reader is not ordered after another.
static void *readers_clock(const void *lock)
{
    return (char *)lock + sizeof(uint64_t);
}

static void locked(const void *lock, int mode, void *t, const csp_site *site)
{
    (void)site;
    acquire(lock, t);
    if (mode == CSP_LOCK_WRITE)
        acquire(readers_clock(lock), t);
}

static void unlocking(const void *lock, int mode)
{
    release(mode == CSP_LOCK_WRITE ? lock : readers_clock(lock), NULL);
}

// Accumulated: the units of a semaphore cannot be told apart.
static void sem_release(const void *sem, int64_t before, int64_t k)
{
    (void)before, (void)k;
    release(sem, NULL);
}

static void sem_take(const void *sem, int64_t before, int64_t k, void *t)
{
    (void)before, (void)k;
    acquire(sem, t);
}

static void *snapshot_new(void)
{
    void *snapshot = new_or_die(sizeof(uint64_t));
    release(snapshot, NULL);
    return snapshot;
}

static void snapshot_free(void *snapshot)
{
    free_ours(snapshot);
}

static void snapshot_acquire(void *snapshot, void *t)
{
    acquire(snapshot, t);
}

// --- accesses and channels ---------------------------------------------------------------------------------------------------

static void read_range(const void *p, size_t n)
{
    __tsan_read_range_pc((void *)p, n, __builtin_return_address(0));
}

static void write_range(void *p, size_t n)
{
    __tsan_write_range_pc(p, n, __builtin_return_address(0));
}

static void *chan_new(const void *c, size_t cap, size_t elem_size, const csp_site *site)
{
    (void)c, (void)elem_size, (void)site;
    chan *ch = new_or_die(sizeof *ch + (cap ? cap : 1) * sizeof ch->slots[0]);
    ch->cap = cap;
    return ch;
}

// A send and a close of one channel that nothing orders are a race, on the channel.
static void chan_use(void *c, int use)
{
    chan *ch = c;
    void *pc = __builtin_return_address(0);
    if (ch && use == CSP_CHAN_USE_SEND)
        __tsan_read_range_pc(&ch->use, sizeof ch->use, pc);
    else if (ch && use == CSP_CHAN_USE_CLOSE)
        __tsan_write_range_pc(&ch->use, sizeof ch->use, pc);
}

static void chan_send(void *c, size_t slot, void *t)
{
    chan *ch = c;
    acquire(&ch->slots[slot].received, t);
    release(&ch->slots[slot].sent, t);
}

static void chan_recv(void *c, size_t slot, void *t)
{
    chan *ch = c;
    acquire(&ch->slots[slot].sent, t);
    release(&ch->slots[slot].received, t);
}

// By a timer, on a scheduler's fiber.
static void chan_send_snapshot(void *c, size_t slot, void *snapshot)
{
    acquire(snapshot, NULL);
    release(&((chan *)c)->slots[slot].sent, NULL);
}

static void chan_rendezvous(void *c, void *partner)
{
    chan *ch = c;
    release(&ch->there, NULL);
    acquire(&ch->there, partner);
    release(&ch->back, partner);
    acquire(&ch->back, NULL);
}

static void chan_close(void *c)
{
    release(&((chan *)c)->closed, NULL);
}

static void chan_recv_closed(void *c, void *t)
{
    acquire(&((chan *)c)->closed, t);
}

// It complains of a thread that ends ignoring.
static void before_exit(void)
{
    while (ignoring)
        ignore_end();
}

__attribute__((constructor(101))) static void install(void)
{
    table = *cspi_hooks;
    table.task_new = task_new;
    table.task_new_from = task_new_from;
    table.task_current = task_current;
    table.task_name = task_name;
    table.task_leave = task_leave;
    table.task_enter = task_enter;
    table.task_end = task_end;
    table.worker_start = worker_start;
    table.ignore_begin = ignore_begin;
    table.ignore_end = ignore_end;
    table.read_range = read_range;
    table.write_range = write_range;
    table.acquire = acquire;
    table.release = release;
    table.release_merge = release;
    table.sem_release = sem_release;
    table.sem_take = sem_take;
    table.locked = locked;
    table.unlocking = unlocking;
    table.snapshot_new = snapshot_new;
    table.snapshot_free = snapshot_free;
    table.snapshot_acquire = snapshot_acquire;
    table.chan_new = chan_new;
    table.chan_free = free_ours;
    table.chan_use = chan_use;
    table.chan_send = chan_send;
    table.chan_recv = chan_recv;
    table.chan_send_snapshot = chan_send_snapshot;
    table.chan_rendezvous = chan_rendezvous;
    table.chan_close = chan_close;
    table.chan_recv_closed = chan_recv_closed;
    table.before_exit = before_exit;
    cspi_hooks = &table;
}
