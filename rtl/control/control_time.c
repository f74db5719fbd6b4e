// control_time.c - the time under a controlled schedule: all clocks show the virtual one, all sleeping is done on it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The processor's time is the virtual time since the start: what a task computes costs nothing, so there is nothing else to tell.
// Timers that send signals (alarm, setitimer, timer_create) stay real: a run that sets one says that it is not replayable.
#include "control/control_libc.h"
#include "control/control_world.h"

#include <errno.h>
#include <string.h>

enum { NS = 1000000000 };

static struct timespec to_timespec(int64_t ns)
{
    return (struct timespec){ns / NS, ns % NS};
}

// False: not a clock that we keep.
static bool read_clock(clockid_t clock, int64_t *out)
{
    switch (clock) {
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_BOOTTIME:
    case CLOCK_BOOTTIME_ALARM:
        *out = cspr_control_now();
        return true;
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_REALTIME_ALARM:
        *out = cspr_control_now() + (CSPR_CONTROL_WALL_NS - CSPR_CONTROL_START_NS);
        return true;
    case CLOCK_TAI:
        *out = cspr_control_now() + (CSPR_CONTROL_WALL_NS - CSPR_CONTROL_START_NS) + 37 * (int64_t)NS;
        return true;
    case CLOCK_PROCESS_CPUTIME_ID:
    case CLOCK_THREAD_CPUTIME_ID:
        *out = cspr_control_now() - CSPR_CONTROL_START_NS;
        return true;
    default:
        return false;
    }
}

static int64_t read_wall(void)
{
    int64_t ns;
    read_clock(CLOCK_REALTIME, &ns);
    return ns;
}

// --- clocks ----------------------------------------------------------------------------------------------------------------------

CSPR_LIBC(clock_gettime);
CSPR_LIBC(gettimeofday);
CSPR_LIBC(time);
CSPR_LIBC(timespec_get);
CSPR_LIBC(ftime);
CSPR_LIBC(clock);
CSPR_LIBC(times);

static int controlled_clock_gettime(clockid_t clock, struct timespec *t)
{
    int64_t ns;
    if (!cspr_is_program() || !t || !read_clock(clock, &ns))
        return libc_clock_gettime(clock, t);
    *t = to_timespec(ns);
    return 0;
}

static int controlled_gettimeofday(struct timeval *restrict t, void *restrict zone)
{
    int result = libc_gettimeofday(t, zone);
    if (result || !t || !cspr_is_program())
        return result;
    int64_t ns = read_wall();
    *t = (struct timeval){ns / NS, ns % NS / 1000};
    return 0;
}

static time_t controlled_time(time_t *t)
{
    if (!cspr_is_program())
        return libc_time(t);
    time_t now = read_wall() / NS;
    if (t)
        *t = now;
    return now;
}

static int controlled_timespec_get(struct timespec *t, int base)
{
    if (!cspr_is_program() || base != TIME_UTC)
        return libc_timespec_get(t, base);
    *t = to_timespec(read_wall());
    return base;
}

static int controlled_ftime(struct timeb *out)
{
    if (!cspr_is_program())
        return libc_ftime(out);
    int64_t ns = read_wall();
    *out = (struct timeb){.time = ns / NS, .millitm = (unsigned short)(ns % NS / 1000000)};
    return 0;
}

static clock_t controlled_clock(void)
{
    if (!cspr_is_program())
        return libc_clock();
    return (cspr_control_now() - CSPR_CONTROL_START_NS) / (NS / CLOCKS_PER_SEC);
}

static clock_t controlled_times(struct tms *t)
{
    enum { TICK_NS = NS / 100 };
    if (!cspr_is_program())
        return libc_times(t);
    int64_t now = cspr_control_now();
    if (t)
        *t = (struct tms){.tms_utime = (now - CSPR_CONTROL_START_NS) / TICK_NS};
    return now / TICK_NS;
}

// --- sleeping --------------------------------------------------------------------------------------------------------------------------

CSPR_LIBC(nanosleep);
CSPR_LIBC(clock_nanosleep);
CSPR_LIBC(sleep);
CSPR_LIBC(usleep);
CSPR_LIBC(thrd_sleep);

// Until then; false: a signal handler was called before. What it waits for is the thread's own record: nobody else's.
static bool sleep_until(int64_t when_ns)
{
    cspr_control_testcancel();
    cspr_control_point(CSP_OP_SLEEP, NULL);
    while (cspr_control_time() < when_ns) {
        bool woken = cspr_control_await_cancellable(CSP_OP_SLEEP, cspr_task_current(), when_ns);
        cspr_control_testcancel();
        if (woken && cspr_control_was_interrupted(false))
            return false;
    }
    return true;
}

static bool is_duration(const struct timespec *t)
{
    return t && t->tv_sec >= 0 && cspr_is_instant(t);
}

// 0 or EINTR.
static int sleep_for(const struct timespec *t, struct timespec *rest)
{
    int64_t until = cspr_control_after(t);
    if (sleep_until(until))
        return 0;
    int64_t left = until - cspr_control_time();
    if (rest)
        *rest = to_timespec(left > 0 ? left : 0);
    return EINTR;
}

static int controlled_nanosleep(const struct timespec *t, struct timespec *rest)
{
    if (!cspr_is_program() || !is_duration(t))
        return libc_nanosleep(t, rest);
    int error = sleep_for(t, rest);
    if (!error)
        return 0;
    errno = error;
    return -1;
}

static int controlled_clock_nanosleep(clockid_t clock, int flags, const struct timespec *t, struct timespec *rest)
{
    int64_t unused;
    if (!cspr_is_program() || !is_duration(t) || clock == CLOCK_THREAD_CPUTIME_ID || !read_clock(clock, &unused))
        return libc_clock_nanosleep(clock, flags, t, rest);
    if (!(flags & TIMER_ABSTIME))
        return sleep_for(t, rest);
    return sleep_until(cspr_control_instant(clock, t)) ? 0 : EINTR;
}

static unsigned controlled_sleep(unsigned seconds)
{
    struct timespec rest;
    if (!cspr_is_program())
        return libc_sleep(seconds);
    if (!sleep_for(&(struct timespec){seconds, 0}, &rest))
        return 0;
    return (unsigned)rest.tv_sec + (rest.tv_nsec >= NS / 2);
}

static int controlled_usleep(useconds_t us)
{
    if (!cspr_is_program())
        return libc_usleep(us);
    int error = sleep_for(&(struct timespec){us / 1000000, us % 1000000 * 1000}, NULL);
    if (!error)
        return 0;
    errno = error;
    return -1;
}

static int controlled_thrd_sleep(const struct timespec *t, struct timespec *rest)
{
    if (!cspr_is_program() || !is_duration(t))
        return libc_thrd_sleep(t, rest);
    return sleep_for(t, rest) ? -1 : 0;
}

// --- timers that send signals --------------------------------------------------------------------------------------------------------------

CSPR_LIBC(alarm);
CSPR_LIBC(setitimer);
CSPR_LIBC(timer_settime);

static bool has_timers; // of timer_create's: whether they are armed is not asked

static void expect_signal(void)
{
    cspr_control_not_replayable("a signal is sent by a timer that runs in real time");
}

// ualarm does not pass here.
bool cspr_control_alarm_is_set(void)
{
    struct itimerval t;
    int saved = errno;
    bool is_set = getitimer(ITIMER_REAL, &t) == 0 && (t.it_value.tv_sec || t.it_value.tv_usec);
    errno = saved;
    if (is_set)
        expect_signal();
    return is_set || has_timers;
}

static unsigned controlled_alarm(unsigned seconds)
{
    if (seconds && cspr_is_program())
        expect_signal();
    return libc_alarm(seconds);
}

static int controlled_setitimer(__itimer_which_t which, const struct itimerval *restrict t,
                                struct itimerval *restrict old)
{
    if (t && (t->it_value.tv_sec || t->it_value.tv_usec) && cspr_is_program())
        expect_signal();
    return libc_setitimer(which, t, old);
}

static int controlled_timer_settime(timer_t timer, int flags, const struct itimerspec *restrict t,
                                    struct itimerspec *restrict old)
{
    if (cspr_is_program()) {
        expect_signal();
        has_timers = true;
    }
    return libc_timer_settime(timer, flags, t, old);
}

void cspr_control_clocks_take_over(void)
{
    CSPR_TAKE_OVER(clock_gettime);
    CSPR_TAKE_OVER(gettimeofday);
    CSPR_TAKE_OVER(time);
    CSPR_TAKE_OVER(timespec_get);
    CSPR_TAKE_OVER(ftime);
    CSPR_TAKE_OVER(clock);
    CSPR_TAKE_OVER(times);
    CSPR_TAKE_OVER(nanosleep);
    CSPR_TAKE_OVER(clock_nanosleep);
    CSPR_TAKE_OVER(sleep);
    CSPR_TAKE_OVER(usleep);
    CSPR_TAKE_OVER(thrd_sleep);
    CSPR_TAKE_OVER(alarm);
    CSPR_TAKE_OVER(setitimer);
    CSPR_TAKE_OVER(timer_settime);
}
