// intercept_thread.c - the life of threads: create, end, join, detach, for pthreads and C11 threads.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Edges: pthread_create -> the thread's first step; its end -> the return of a join. The end of a detached thread: none.
// A thread's task ends in the last round of thread-specific destructors, after those of the program.
#include "intercept/intercept_thread.h"

#include "clock/everyone.h"
#include "deadlock/lock_order.h"
#include "leak/leak.h"
#include "report/unwind.h"
#include "support/alloc.h"
#include "support/libc.h"
#include "support/lock.h"
#include "support/modules.h"
#include "task/task.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool is_checked(void)
{
    return cspr_ready && !cspr_bypass();
}

// --- which task a pthread_t is -------------------------------------------------------------------------------------------------

typedef struct thread {
    struct thread *next;
    pthread_t handle;
    cspr_task *task;
    bool detached, ended; // both: nobody will ask for it again
    // --- under control, by who has the turn
    cspr_who joiner; // who waits for its end; 0: nobody
    cspr_control_own *own;
} thread;
enum { BUCKETS = 1024 };
static thread *buckets[BUCKETS]; // under threads_lock
static cspr_lock threads_lock;

void cspr_threads_fork_lock(bool take)
{
    cspr_lock_for_fork(&threads_lock, take);
}

static thread **bucket_of(pthread_t handle)
{
    return &buckets[(handle >> 12) % BUCKETS]; // handles are addresses in the threads' stacks
}

static void add_thread(pthread_t handle, cspr_task *task, bool detached)
{
    cspr_enter();
    thread *t = cspr_alloc(sizeof *t);
    cspr_lock_acquire(&threads_lock);
    thread **bucket = bucket_of(handle);
    *t = (thread){.next = *bucket, .handle = handle, .task = task, .detached = detached};
    t->own = cspr_control_own_record();
    *bucket = t;
    cspr_lock_release(&threads_lock);
    cspr_leave();
}

// Stays valid while nobody joins or detaches it.
static thread *find_thread(pthread_t handle)
{
    cspr_enter();
    cspr_lock_acquire(&threads_lock);
    thread *t = *bucket_of(handle);
    while (t && t->handle != handle)
        t = t->next;
    cspr_lock_release(&threads_lock);
    cspr_leave();
    return t;
}

static cspr_task *find_task(pthread_t handle)
{
    const thread *t = find_thread(handle);
    return t ? t->task : NULL;
}

// Under control, the main thread's, which nobody has created: it is not in the table, since its task stays for ever.
static thread main_thread;

void cspr_thread_note_main(void)
{
    main_thread = (thread){.handle = pthread_self(), .task = cspr_self.task, .own = cspr_control_own_record()};
}

static thread *find_any_thread(pthread_t handle)
{
    return pthread_equal(handle, main_thread.handle) ? &main_thread : find_thread(handle);
}

void cspr_threads_each_own(void (*fn)(cspr_control_own *own, void *arg), void *arg)
{
    if (!main_thread.ended)
        fn(main_thread.own, arg);
    for (size_t i = 0; i < BUCKETS; i++)
        for (const thread *t = buckets[i]; t; t = t->next)
            if (!t->ended)
                fn(t->own, arg);
}

cspr_control_own *cspr_thread_own(pthread_t handle)
{
    const thread *t = find_any_thread(handle);
    return t && !t->ended ? t->own : NULL;
}

// A handle may be another thread's as soon as the old one is joined: the task tells which is meant.
static void remove_thread(pthread_t handle, const cspr_task *task)
{
    thread *found = NULL;
    cspr_enter();
    cspr_lock_acquire(&threads_lock);
    for (thread **p = bucket_of(handle); *p; p = &(*p)->next)
        if ((*p)->task == task) {
            found = *p;
            *p = found->next;
            break;
        }
    cspr_lock_release(&threads_lock);
    cspr_free(found, sizeof *found);
    cspr_leave();
}

// Notes that the thread was detached, or has ended (task: the one meant; NULL: the handle's); the second of the two lets go
// of the task.
static void note_thread(pthread_t handle, const cspr_task *task, bool detached, bool ended)
{
    thread *over = NULL;
    cspr_enter();
    cspr_lock_acquire(&threads_lock);
    thread **p = bucket_of(handle);
    while (*p && (task ? (*p)->task != task : (*p)->handle != handle))
        p = &(*p)->next;
    if (*p) {
        (*p)->detached |= detached;
        (*p)->ended |= ended;
        if ((*p)->detached && (*p)->ended) {
            over = *p;
            *p = over->next;
        }
    }
    cspr_lock_release(&threads_lock);
    if (over)
        cspr_task_drop(over->task);
    cspr_free(over, sizeof *over);
    cspr_leave();
}

// --- the end -------------------------------------------------------------------------------------------------------------------

static pthread_key_t end_key;
static pthread_once_t end_key_once = PTHREAD_ONCE_INIT;

// A robust mutex passes on when its owner ends, and what the owner did with it.
static void release_held(cspr_task *task)
{
    cspr_held held[CSPR_MAX_HELD];
    size_t n = cspr_task_held(task, held, CSPR_MAX_HELD);
    for (size_t i = 0; i < n; i++)
        cspr_release(held[i].lock, task);
}

// Called once per round of destructors; the value counts the rounds.
static void end_of_thread(void *value)
{
    uintptr_t round = (uintptr_t)value;
    if (round < PTHREAD_DESTRUCTOR_ITERATIONS) {
        pthread_setspecific(end_key, (void *)(round + 1));
        return;
    }
    cspr_task *task = cspr_self.task;
    if (task)
        release_held(task);
    if (task && cspr_controlled) {
        cspr_control_abandon(task);
        cspr_control_wake(task, UINT_MAX); // who joins it
    }
    cspr_task_detach_ended();
    cspr_lock_order_thread_ends();
    if (task)
        note_thread(pthread_self(), task, false, true);
    if (task && cspr_controlled)
        cspr_control_thread_ends();
}

static void make_end_key(void)
{
    pthread_key_create(&end_key, end_of_thread);
}

// --- the main thread's end by pthread_exit: its task stays, others go on -----------------------------------------------------------------

static pthread_key_t main_end_key;

static void end_of_main(void *value)
{
    uintptr_t round = (uintptr_t)value;
    if (round < PTHREAD_DESTRUCTOR_ITERATIONS) {
        pthread_setspecific(main_end_key, (void *)(round + 1));
        return;
    }
    main_thread.ended = true;
    cspr_control_wake(main_thread.task, UINT_MAX);
    cspr_control_thread_ends();
}

void cspr_thread_main_exits(void)
{
    if (!cspr_controlled || !cspr_control_has_begun())
        return;
    pthread_key_create(&main_end_key, end_of_main);
    pthread_setspecific(main_end_key, (void *)1);
}

// --- the start -----------------------------------------------------------------------------------------------------------------

typedef struct birth {
    void *(*fn)(void *);
    void *arg;
    cspr_task *task;
    bool detached;
    _Atomic unsigned begun;
} birth;

// Tells the creator that *b, which is on its stack, is not needed any more.
static void announce(birth *b)
{
    // release: pairs with wait_for_birth; the creator's frame may be gone after this store, so the wake-up is by address only
    atomic_store_explicit(&b->begun, 1, memory_order_release);
    syscall(SYS_futex, &b->begun, FUTEX_WAKE_PRIVATE, 1);
}

static void wait_for_birth(birth *b)
{
    while (!atomic_load_explicit(&b->begun, memory_order_acquire)) // acquire: the new thread is known under its handle
        syscall(SYS_futex, &b->begun, FUTEX_WAIT_PRIVATE, 0, NULL);
}

// pthread_exit and cancellation leave the thread's frames without taking their records off; what runs afterwards on the same
// stack (destructors of thread-specific data) must not find them. The oldest cleanup handler is called last.
void cspr_forget_records(void *unused)
{
    (void)unused;
    __csp_top = NULL;
}

CSPR_BOTTOM static void *run_thread(void *arg)
{
    birth *b = arg;
    void *(*fn)(void *) = b->fn;
    void *fn_arg = b->arg;
    cspr_task_attach(b->task);
    cspr_enter();
    cspr_real_pthread_once(&end_key_once, make_end_key);
    pthread_setspecific(end_key, (void *)1);
    cspr_leave();
    add_thread(pthread_self(), b->task, b->detached);
    announce(b);
    if (CSPR_UNLIKELY(cspr_controlled))
        cspr_control_thread_begins();
    void *result;
    pthread_cleanup_push(cspr_forget_records, NULL);
    result = fn(fn_arg); // never a tail call: this frame marks the bottom of the thread's stack
    pthread_cleanup_pop(1);
    return result;
}

static bool is_created_detached(const pthread_attr_t *attr)
{
    int state = PTHREAD_CREATE_JOINABLE;
    if (attr)
        pthread_attr_getdetachstate(attr, &state);
    return state == PTHREAD_CREATE_DETACHED;
}

// Our thread-locals and frame records take room on the stack that the program did not count. *copy is what *attr asks for,
// and that; its memory inside is *attr's. A stack of the program's own stays as it is.
static const pthread_attr_t *make_room(const pthread_attr_t *attr, pthread_attr_t *copy)
{
    enum { ROOM = 64 << 10 };
    void *lo;
    size_t size;
    if (!attr || pthread_attr_getstack(attr, &lo, &size) || (uintptr_t)lo + size != 0) // glibc: 0 when none was given
        return attr;
    *copy = *attr;
    return pthread_attr_setstacksize(copy, size + ROOM) ? attr : copy;
}

static int create_thread(pthread_t *handle, const pthread_attr_t *attr, void *(*fn)(void *), void *arg,
                         cspr_stack creation)
{
    int saved = errno;
    if (CSPR_UNLIKELY(cspr_controlled)) {
        cspr_control_begin();
        cspr_control_point(CSP_OP_THREAD_CREATE, NULL);
    }
    birth b = {fn, arg, cspr_task_new_thread(cspr_task_current(), creation), is_created_detached(attr), 0};
    pthread_attr_t roomy;
    if (CSPR_UNLIKELY(cspr_controlled))
        cspr_control_thread_new(b.task);
    cspr_enter(); // what libc allocates for the thread is not the program's
    int result = cspr_real_pthread_create(handle, make_room(attr, &roomy), run_thread, &b);
    if (result == 0)
        wait_for_birth(&b);
    else if (cspr_controlled)
        cspr_control_thread_failed(b.task);
    cspr_leave();
    errno = saved;
    return result;
}

CSPR_INTERCEPTOR int pthread_create(pthread_t *handle, const pthread_attr_t *attr, void *(*fn)(void *), void *arg)
{
    if (!is_checked())
        return cspr_real_pthread_create(handle, attr, fn, arg);
    CSPR_FRAME();
    __csp_site = NULL;
    return create_thread(handle, attr, fn, arg, cspr_unwind_stack(CSPR_STACK())); // std::thread has no records
}

// --- join and detach -------------------------------------------------------------------------------------------------------------

static void joined(pthread_t handle, cspr_task *task)
{
    if (!task)
        return;
    remove_thread(handle, task);
    cspr_task_join(task);
}

// An end that is waited for without a limit, so that the waiter knows all of the ended one when it goes on.
static void wait_for(cspr_task *ended)
{
    cspr_task *t = ended ? cspr_task_current() : NULL;
    if (t)
        cspr_everyone_waits(t, ended);
}

static void do_not_wait_for(cspr_task *ended)
{
    (void)ended;
}

// Cancelled while it waited: it goes on with what it knew.
static void waits_no_more(void *ended)
{
    cspr_task *t = ended ? cspr_task_current() : NULL;
    if (t)
        cspr_everyone_back(t);
}

// --- under control: nobody waits in libc for a thread that has not ended -------------------------------------------------------------

static cspr_who me(void)
{
    const cspr_task *t = cspr_task_current();
    return t ? cspr_task_who(t) : 0;
}

static const cspr_task *task_of(const thread *t)
{
    return t ? t->task : NULL;
}

static bool waits_for_me(const thread *t)
{
    const thread *mine = find_any_thread(pthread_self());
    return mine && mine->joiner && mine->joiner == cspr_task_who(t->task);
}

typedef struct joining {
    pthread_t handle;
    cspr_task *task;
} joining;

static void joins_no_more(void *arg)
{
    const joining *j = arg;
    thread *t = find_any_thread(j->handle);
    if (t && t->task == j->task)
        t->joiner = 0;
}

// 0: the thread has ended, as far as the program can see; else what libc would say.
static int wait_for_end(thread *t, int64_t deadline_ns)
{
    int error = 0;
    joining j = {t->handle, t->task};
    t->joiner = me();
    pthread_cleanup_push(joins_no_more, &j);
    while (!error && !t->ended) {
        if (!cspr_control_await_cancellable(CSP_OP_THREAD_JOIN, j.task, deadline_ns) && !t->ended)
            error = ETIMEDOUT;
        cspr_control_testcancel();
    }
    pthread_cleanup_pop(error != 0);
    return error;
}

static int join_controlled(pthread_t handle, void **result, int64_t deadline_ns)
{
    cspr_control_testcancel();
    cspr_control_point(CSP_OP_THREAD_JOIN, task_of(find_any_thread(handle)));
    thread *t = find_any_thread(handle);
    if (t && !t->detached && !t->ended) {
        if (pthread_equal(handle, pthread_self()) || waits_for_me(t))
            return EDEADLK;
        if (t->joiner)
            return EINVAL;
        int error = wait_for_end(t, deadline_ns);
        if (error)
            return error;
    }
    return cspr_real_pthread_join(handle, result);
}

static int join_by(pthread_t handle, void **result, clockid_t clock, const struct timespec *until)
{
    if (until && !cspr_is_instant(until))
        return EINVAL;
    return join_controlled(handle, result, cspr_control_instant(clock, until));
}

static int try_join(pthread_t handle, void **result)
{
    cspr_control_point(CSP_OP_THREAD_JOIN, task_of(find_any_thread(handle)));
    const thread *t = find_any_thread(handle);
    if (!t || t->detached)
        return cspr_real_pthread_tryjoin_np(handle, result);
    if (t->ended)
        return cspr_real_pthread_join(handle, result);
    cspr_control_point_idle(CSP_OP_THREAD_JOIN, t->task);
    return EBUSY;
}

#define JOINS(name, waits, params, args, controlled)                                                                   \
    CSPR_INTERCEPTOR int name params                                                                                   \
    {                                                                                                                  \
        if (!is_checked())                                                                                             \
            return cspr_real_##name args;                                                                              \
        CSPR_FRAME();                                                                                                  \
        __csp_site = NULL;                                                                                             \
        cspr_task *task = find_task(handle);                                                                           \
        waits(task);                                                                                                   \
        int status;                                                                                                    \
        pthread_cleanup_push(waits_no_more, task);                                                                     \
        status = CSPR_UNLIKELY(cspr_controlled) ? controlled : cspr_real_##name args;                                  \
        pthread_cleanup_pop(0);                                                                                        \
        if (status == 0)                                                                                               \
            joined(handle, task);                                                                                      \
        else                                                                                                           \
            waits_no_more(task);                                                                                       \
        return status;                                                                                                 \
    }
JOINS(pthread_join, wait_for, (pthread_t handle, void **result), (handle, result),
      join_controlled(handle, result, INT64_MAX))
JOINS(pthread_tryjoin_np, do_not_wait_for, (pthread_t handle, void **result), (handle, result),
      try_join(handle, result))
JOINS(pthread_timedjoin_np, do_not_wait_for, (pthread_t handle, void **result, const struct timespec *until),
      (handle, result, until), join_by(handle, result, CLOCK_REALTIME, until))
JOINS(pthread_clockjoin_np, do_not_wait_for,
      (pthread_t handle, void **result, clockid_t clock, const struct timespec *until), (handle, result, clock, until),
      join_by(handle, result, clock, until))

CSPR_INTERCEPTOR int pthread_detach(pthread_t handle)
{
    if (!is_checked())
        return cspr_real_pthread_detach(handle);
    __csp_site = NULL;
    if (CSPR_UNLIKELY(cspr_controlled))
        cspr_control_point(CSP_OP_THREAD, NULL);
    // Before libc's: afterwards the handle may be another thread's.
    note_thread(handle, NULL, true, false);
    return cspr_real_pthread_detach(handle);
}

CSPR_INTERCEPTOR int pthread_setname_np(pthread_t handle, const char *name)
{
    int status = cspr_real_pthread_setname_np(handle, name);
    cspr_task *task = status == 0 && is_checked() ? find_task(handle) : NULL;
    if (task)
        cspr_task_set_name(task, name);
    return status;
}

// --- never joined ------------------------------------------------------------------------------------------------------------------

size_t cspr_threads_unjoined(cspr_who *out, size_t max)
{
    size_t n = 0;
    cspr_enter();
    cspr_lock_acquire(&threads_lock);
    for (size_t i = 0; i < BUCKETS; i++)
        for (const thread *t = buckets[i]; t; t = t->next)
            if (t->ended && !t->detached && n < max)
                out[n++] = cspr_task_who(t->task);
    cspr_lock_release(&threads_lock);
    cspr_leave();
    return n;
}

// --- C11 -------------------------------------------------------------------------------------------------------------------------

typedef struct c11_start {
    thrd_start_t fn;
    void *arg;
} c11_start;

CSPR_BOTTOM static void *run_c11(void *arg)
{
    c11_start start = *(c11_start *)arg;
    cspr_enter();
    cspr_free(arg, sizeof start);
    cspr_leave();
    return (void *)(intptr_t)start.fn(start.arg);
}

static int thrd_status(int error)
{
    return error == 0 ? thrd_success : error == ENOMEM || error == EAGAIN ? thrd_nomem : thrd_error;
}

CSPR_INTERCEPTOR int thrd_create(thrd_t *handle, thrd_start_t fn, void *arg)
{
    CSPR_FRAME();
    bool checked = is_checked();
    cspr_stack creation = checked ? cspr_unwind_stack(CSPR_STACK()) : 0;
    cspr_enter();
    c11_start *start = cspr_alloc(sizeof *start);
    cspr_leave();
    *start = (c11_start){fn, arg};
    __csp_site = NULL;
    int error = checked ? create_thread(handle, NULL, run_c11, start, creation)
                        : cspr_real_pthread_create(handle, NULL, run_c11, start);
    if (error)
        cspr_free(start, sizeof *start);
    return thrd_status(error);
}

CSPR_INTERCEPTOR int thrd_join(thrd_t handle, int *result)
{
    CSPR_FRAME();
    bool checked = is_checked();
    cspr_task *task = checked ? find_task(handle) : NULL;
    void *value;
    int error = checked && cspr_controlled ? join_controlled(handle, &value, INT64_MAX)
                                           : cspr_real_pthread_join(handle, &value);
    if (error == 0)
        joined(handle, task);
    if (error == 0 && result)
        *result = (int)(intptr_t)value;
    return thrd_status(error);
}

CSPR_INTERCEPTOR int thrd_detach(thrd_t handle)
{
    return thrd_status(pthread_detach(handle));
}
