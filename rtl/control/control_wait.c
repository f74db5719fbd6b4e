// control_wait.c - conditions, barriers and semaphores under a controlled schedule.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Nobody waits in libc's own conditions and barriers: who waits is known to control.h. What is signalled goes to libc's, too, for
// those who wait there unseen. Conditions are woken for nothing only when a thread that waits is cancelled or gets a signal.
#include "control/control_libc.h"

#include <errno.h>
#include <limits.h>

int64_t cspr_control_instant(clockid_t clock, const struct timespec *t)
{
    enum { NS = 1000000000 };
    if (!t || t->tv_sec > INT64_MAX / NS - 1)
        return INT64_MAX;
    if (t->tv_sec < 0)
        return 0;
    int64_t ns = t->tv_sec * NS + t->tv_nsec;
    if (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE && clock != CLOCK_TAI)
        return ns;
    return ns - (CSPR_CONTROL_WALL_NS - CSPR_CONTROL_START_NS);
}

int64_t cspr_control_after(const struct timespec *t)
{
    int64_t d = cspr_control_instant(CLOCK_MONOTONIC, t), now = cspr_control_time();
    return d < INT64_MAX - now ? now + d : INT64_MAX;
}

// --- conditions --------------------------------------------------------------------------------------------------------------------

CSPR_LIBC(pthread_cond_wait);
CSPR_LIBC(pthread_cond_timedwait);
CSPR_LIBC(pthread_cond_clockwait);
CSPR_LIBC(pthread_cond_signal);
CSPR_LIBC(pthread_cond_broadcast);
CSPR_LIBC(cnd_wait);
CSPR_LIBC(cnd_timedwait);
CSPR_LIBC(cnd_signal);
CSPR_LIBC(cnd_broadcast);

// A signal that came to a thread which is then cancelled is another's.
static int wait_cond(pthread_cond_t *c, pthread_mutex_t *m, int64_t deadline_ns)
{
    cspr_control_testcancel();
    cspr_control_point(CSP_OP_COND_WAIT, c);
    int error = cspr_control_mutex_give(m);
    if (error)
        return error;
    bool woken = cspr_control_await_cancellable(CSP_OP_COND_WAIT, c, deadline_ns);
    if (woken && cspr_control_is_cancelled())
        cspr_control_wake(c, 1);
    error = cspr_control_mutex_take(m, INT64_MAX);
    cspr_control_testcancel(); // with the mutex held, as cleanup handlers expect
    return error ? error : woken ? 0 : ETIMEDOUT;
}

static clockid_t clock_of(const pthread_cond_t *c)
{
    enum { MONOTONIC = 2 }; // glibc's
    return c->__data.__wrefs & MONOTONIC ? CLOCK_MONOTONIC : CLOCK_REALTIME;
}

static int controlled_pthread_cond_wait(pthread_cond_t *c, pthread_mutex_t *m)
{
    return cspr_is_program() ? wait_cond(c, m, INT64_MAX) : libc_pthread_cond_wait(c, m);
}

static int controlled_pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m, const struct timespec *until)
{
    if (!cspr_is_program() || !cspr_is_instant(until))
        return libc_pthread_cond_timedwait(c, m, until);
    return wait_cond(c, m, cspr_control_instant(clock_of(c), until));
}

static int controlled_pthread_cond_clockwait(pthread_cond_t *c, pthread_mutex_t *m, clockid_t clock,
                                             const struct timespec *until)
{
    bool known = clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC;
    if (!cspr_is_program() || !known || !cspr_is_instant(until))
        return libc_pthread_cond_clockwait(c, m, clock, until);
    return wait_cond(c, m, cspr_control_instant(clock, until));
}

static int controlled_pthread_cond_signal(pthread_cond_t *c)
{
    if (cspr_is_program()) {
        cspr_control_point(CSP_OP_SIGNAL, c);
        cspr_control_wake(c, 1);
    }
    return libc_pthread_cond_signal(c);
}

static int controlled_pthread_cond_broadcast(pthread_cond_t *c)
{
    if (cspr_is_program()) {
        cspr_control_point(CSP_OP_BROADCAST, c);
        cspr_control_wake(c, UINT_MAX);
    }
    return libc_pthread_cond_broadcast(c);
}

static int to_thrd(int error)
{
    return error == 0 ? thrd_success : error == ETIMEDOUT ? thrd_timedout : thrd_error;
}

static int controlled_cnd_wait(cnd_t *c, mtx_t *m)
{
    if (!cspr_is_program())
        return libc_cnd_wait(c, m);
    return to_thrd(wait_cond((pthread_cond_t *)c, (pthread_mutex_t *)m, INT64_MAX));
}

static int controlled_cnd_timedwait(cnd_t *c, mtx_t *m, const struct timespec *until)
{
    if (!cspr_is_program() || !cspr_is_instant(until))
        return libc_cnd_timedwait(c, m, until);
    return to_thrd(wait_cond((pthread_cond_t *)c, (pthread_mutex_t *)m, cspr_control_instant(CLOCK_REALTIME, until)));
}

static int controlled_cnd_signal(cnd_t *c)
{
    return to_thrd(controlled_pthread_cond_signal((pthread_cond_t *)c));
}

static int controlled_cnd_broadcast(cnd_t *c)
{
    return to_thrd(controlled_pthread_cond_broadcast((pthread_cond_t *)c));
}

// --- barriers ------------------------------------------------------------------------------------------------------------------------

CSPR_LIBC(pthread_barrier_init);
CSPR_LIBC(pthread_barrier_destroy);
CSPR_LIBC(pthread_barrier_wait);

// As glibc lays it out.
static unsigned size_of(const pthread_barrier_t *b)
{
    struct {
        unsigned in, current_round, count;
    } libc;
    memcpy(&libc, b, sizeof libc);
    return libc.count;
}

static void forget_barrier(const pthread_barrier_t *b)
{
    cspr_shadow_lock *s = cspr_shadow_lock_find(b);
    if (!s)
        return;
    s->waiting = s->count = 0;
    cspr_shadow_lock_tidy(s);
}

static int controlled_pthread_barrier_init(pthread_barrier_t *b, const pthread_barrierattr_t *attr, unsigned count)
{
    forget_barrier(b);
    return libc_pthread_barrier_init(b, attr, count);
}

static int controlled_pthread_barrier_destroy(pthread_barrier_t *b)
{
    forget_barrier(b);
    return libc_pthread_barrier_destroy(b);
}

// Rounds have numbers of their own, so that one who leaves late does not take a new barrier at the same place for his.
static int controlled_pthread_barrier_wait(pthread_barrier_t *b)
{
    static uint32_t last_round;
    if (!cspr_is_program())
        return libc_pthread_barrier_wait(b);
    cspr_control_point(CSP_OP_BARRIER, b);
    cspr_shadow_lock *s = cspr_shadow_lock_make(b);
    if (!s->waiting)
        s->count = ++last_round;
    if (++s->waiting == size_of(b)) {
        forget_barrier(b);
        cspr_control_wake(b, UINT_MAX);
        return PTHREAD_BARRIER_SERIAL_THREAD;
    }
    for (uint32_t round = s->count; s && s->count == round; s = cspr_shadow_lock_find(b))
        cspr_control_await(CSP_OP_BARRIER, b, INT64_MAX);
    return 0;
}

// --- semaphores ----------------------------------------------------------------------------------------------------------------------

CSPR_LIBC(sem_post);
CSPR_LIBC(sem_wait);
CSPR_LIBC(sem_trywait);
CSPR_LIBC(sem_timedwait);
CSPR_LIBC(sem_clockwait);

// What glibc's semaphore says: other processes use it, too.
static bool is_shared(const sem_t *s)
{
    struct {
        uint64_t units;
        int shared;
    } libc;
    memcpy(&libc, s, sizeof libc);
    return libc.shared != 0;
}

static int take_unit(sem_t *s, int64_t deadline_ns)
{
    cspr_control_testcancel();
    cspr_control_point(CSP_OP_ACQUIRE, s);
    for (;;) {
        if (libc_sem_trywait(s) == 0)
            return 0;
        if (errno != EAGAIN)
            return -1;
        if (is_shared(s))
            cspr_control_not_replayable("a semaphore is shared with other processes");
        bool woken = cspr_control_await_cancellable(CSP_OP_ACQUIRE, s, deadline_ns);
        if (woken && cspr_control_is_cancelled())
            cspr_control_wake(s, 1);
        cspr_control_testcancel();
        if (!woken) {
            errno = ETIMEDOUT;
            return -1;
        }
        if (cspr_control_was_interrupted(false)) {
            cspr_control_wake(s, 1);
            errno = EINTR;
            return -1;
        }
    }
}

static int controlled_sem_wait(sem_t *s)
{
    return cspr_is_program() ? take_unit(s, INT64_MAX) : libc_sem_wait(s);
}

static int controlled_sem_timedwait(sem_t *s, const struct timespec *until)
{
    if (!cspr_is_program() || !cspr_is_instant(until))
        return libc_sem_timedwait(s, until);
    return take_unit(s, cspr_control_instant(CLOCK_REALTIME, until));
}

static int controlled_sem_clockwait(sem_t *s, clockid_t clock, const struct timespec *until)
{
    bool known = clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC;
    if (!cspr_is_program() || !known || !cspr_is_instant(until))
        return libc_sem_clockwait(s, clock, until);
    return take_unit(s, cspr_control_instant(clock, until));
}

static int controlled_sem_trywait(sem_t *s)
{
    if (!cspr_is_program())
        return libc_sem_trywait(s);
    cspr_control_point(CSP_OP_TRY_ACQUIRE, s);
    int result = libc_sem_trywait(s);
    if (result)
        cspr_control_point_idle(CSP_OP_TRY_ACQUIRE, s);
    return result;
}

static int controlled_sem_post(sem_t *s)
{
    if (!cspr_is_program())
        return libc_sem_post(s);
    cspr_control_point(CSP_OP_RELEASE, s);
    int result = libc_sem_post(s);
    cspr_control_wake(s, 1);
    return result;
}

void cspr_control_waits_take_over(void)
{
    CSPR_TAKE_OVER(pthread_cond_wait);
    CSPR_TAKE_OVER(pthread_cond_timedwait);
    CSPR_TAKE_OVER(pthread_cond_clockwait);
    CSPR_TAKE_OVER(pthread_cond_signal);
    CSPR_TAKE_OVER(pthread_cond_broadcast);
    CSPR_TAKE_OVER(cnd_wait);
    CSPR_TAKE_OVER(cnd_timedwait);
    CSPR_TAKE_OVER(cnd_signal);
    CSPR_TAKE_OVER(cnd_broadcast);
    CSPR_TAKE_OVER(pthread_barrier_init);
    CSPR_TAKE_OVER(pthread_barrier_destroy);
    CSPR_TAKE_OVER(pthread_barrier_wait);
    CSPR_TAKE_OVER(sem_post);
    CSPR_TAKE_OVER(sem_wait);
    CSPR_TAKE_OVER(sem_trywait);
    CSPR_TAKE_OVER(sem_timedwait);
    CSPR_TAKE_OVER(sem_clockwait);
}
