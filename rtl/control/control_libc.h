// control_libc.h - libc's blocking functions under a controlled schedule: how they are taken over, and what they share.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every interceptor calls libc through a pointer, cspr_real_<name>. In a controlled run the pointers of what blocks, tells the time or
// gives random numbers lead to functions that keep to the schedule, controlled_<name>, which call libc's own by libc_<name>; so the
// interceptors, and the order that they tell the detector of, are the same with and without control, and other runs pay nothing.
//
// A controlled function never blocks its thread: it tries the real operation, and while that would block gives the turn away
// (control.h). Objects stay libc's own: what is locked is really locked. Only what libc cannot know is kept beside them: which *task*
// holds a lock, since all coroutines are one thread to libc.
//
// Where the caller is not the program (the detector itself, the runtime, a thread without a task), they are libc's functions.
#ifndef CSP_RTL_CONTROL_LIBC_H
#define CSP_RTL_CONTROL_LIBC_H

#include "control/control.h"
#include "support/libc.h"

#define CSPR_LIBC(name) static __typeof__(cspr_real_##name) libc_##name
#define CSPR_TAKE_OVER(name) (libc_##name = cspr_real_##name, cspr_real_##name = controlled_##name)

static inline bool cspr_is_program(void)
{
    return cspr_ready && !cspr_bypass();
}

// Each takes its functions over; once, at start, in a controlled run.
void cspr_control_locks_take_over(void);
void cspr_control_waits_take_over(void);
void cspr_control_clocks_take_over(void);
void cspr_control_random_take_over(void);
void cspr_control_threads_take_over(void);
void cspr_control_io_take_over(void);
void cspr_control_poll_take_over(void);
void cspr_control_timerfd_take_over(void);
void cspr_control_signals_take_over(void);
static inline void cspr_control_take_over(void)
{
    cspr_control_locks_take_over();
    cspr_control_waits_take_over();
    cspr_control_clocks_take_over();
    cspr_control_random_take_over();
    cspr_control_threads_take_over();
    cspr_control_io_take_over();
    cspr_control_poll_take_over();
    cspr_control_timerfd_take_over();
    cspr_control_signals_take_over();
}

// --- instants ------------------------------------------------------------------------------------------------------------------

static inline bool cspr_is_instant(const struct timespec *t)
{
    return t->tv_nsec >= 0 && t->tv_nsec < 1000000000;
}
// On the virtual clock; INT64_MAX: never (NULL, or too far away). Before its start: a moment that is over.
int64_t cspr_control_instant(clockid_t clock, const struct timespec *t);
// So long from now; t is a valid duration.
int64_t cspr_control_after(const struct timespec *t);

// --- locks (control_lock.c) ------------------------------------------------------------------------------------------------------

// As the pthread functions, without a choice point: for conditions, which unlock and lock in one step.
int cspr_control_mutex_take(pthread_mutex_t *m, int64_t deadline_ns);
int cspr_control_mutex_give(pthread_mutex_t *m);
// What a task that ends still holds: robust mutexes pass on.
void cspr_control_abandon(const cspr_task *t);

// What libc cannot know of an object, by its address.
typedef struct cspr_shadow_lock {
    struct cspr_shadow_lock *next;
    const void *object;
    cspr_who holder;  // of a mutex; the writer of a read-write lock; who runs the function of a once
    uint32_t count;   // of a recursive mutex; the round of a barrier
    uint32_t waiting; // writers of a read-write lock; those who have arrived at a barrier
} cspr_shadow_lock;
cspr_shadow_lock *cspr_shadow_lock_find(const void *object); // NULL: nothing is known
cspr_shadow_lock *cspr_shadow_lock_make(const void *object);
void cspr_shadow_lock_tidy(cspr_shadow_lock *s); // drops it when it says nothing; s may be NULL

// --- random numbers (control_random.c) ------------------------------------------------------------------------------------------

// Fills the buffer if fd is /dev/random or /dev/urandom.
bool cspr_random_read(int fd, void *buffer, size_t n);

// --- once (control_once.c) ------------------------------------------------------------------------------------------------------

// Waits while another task runs the function of this once, then calls run(control, fn), which calls libc.
int cspr_control_once(pthread_once_t *control, void (*fn)(void), int (*run)(pthread_once_t *, void (*)(void)));
// Calls fn; edges: its end, also by an exception -> the next attempt, every return.
void cspr_once_call(pthread_once_t *control, void (*fn)(void));

// --- threads (control_thread.c) ---------------------------------------------------------------------------------------------------

// A pthread's own, for those who cancel it or send it a signal. Written by who has the turn.
typedef struct cspr_control_own {
    const void *waits_for; // what it is blocked on; NULL: it is not
    bool cancelled;
    uint8_t interrupted; // a handler has been called while it waited: enum cspr_interruption
    uint8_t signalled;   // atomic: one is to be called when it has the turn; likewise
} cspr_control_own;
enum cspr_interruption { CSPR_NOT_INTERRUPTED, CSPR_INTERRUPTED, CSPR_INTERRUPTED_RESTARTS };
cspr_control_own *cspr_control_own_record(void);
// intercept_signal.c: what a handler of this signal does to a wait; how many handlers this thread has called.
enum cspr_interruption cspr_signal_interruption(int sig);
extern __thread uint64_t cspr_handlers_called __attribute__((tls_model("initial-exec")));

// cspr_control_block, for all that libc's functions wait for; true also when the thread was cancelled or got a signal. At a
// cancellation point one that was cancelled already does not wait; it comes out soon, by cspr_control_testcancel.
bool cspr_control_await(int op, const void *obj, int64_t deadline_ns);
bool cspr_control_await_cancellable(int op, const void *obj, int64_t deadline_ns);
// Whether the calling thread has been cancelled, and may be; the end of one that has.
bool cspr_control_is_cancelled(void);
void cspr_control_testcancel(void);
// By the thread that a signal came to, which has not the turn, or not the time for it. Signal-safe.
void cspr_control_note_signal(enum cspr_interruption how);
// Nobody can go on: threads that a signal came to while they waited wake. True: there were some.
bool cspr_control_wake_signalled(void);
// Whether a handler was called while the thread waited, which ends the wait with EINTR unless restarts (SA_RESTART) forbids it.
bool cspr_control_was_interrupted(bool restarts);

#endif
