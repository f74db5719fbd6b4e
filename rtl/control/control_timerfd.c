// control_timerfd.c - timerfd under a controlled schedule: it fires by the virtual clock.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The kernel's timer is armed only at the moment when the virtual one has fired, so that poll, select, epoll and read find the
// descriptor ready, each in its own way; how often it has fired is counted here. Whoever waits for descriptors waits no longer than
// until the next of these is due (control_world.c).
#include "control/control_state.h"
#include "control/control_world.h"

#include <errno.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

typedef struct virtual_timer {
    int fd; // -1: free
    bool wall;
    int64_t due_ns; // INT64_MAX: disarmed
    int64_t every_ns;
    uint64_t fired; // since it was read last
} virtual_timer;

enum { MOST = 64, NS = 1000000000 };
static virtual_timer timers[MOST]; // with the turn; those below n_timers
static int n_timers;

static virtual_timer *find(int fd)
{
    for (int i = 0; i < n_timers; i++)
        if (timers[i].fd == fd)
            return &timers[i];
    return NULL;
}

CSPR_LIBC(timerfd_create);
CSPR_LIBC(timerfd_settime);
CSPR_LIBC(timerfd_gettime);

static int controlled_timerfd_create(clockid_t clock, int flags)
{
    int fd = libc_timerfd_create(clock, flags);
    if (fd < 0 || !cspr_is_program())
        return fd;
    virtual_timer *t = find(-1);
    if (!t && n_timers < MOST)
        t = &timers[n_timers++];
    if (t)
        *t = (virtual_timer){fd, clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_ALARM, INT64_MAX, 0, 0};
    else
        cspr_control_not_replayable("more timers with descriptors than are kept on the virtual clock");
    return fd;
}

static int64_t to_ns(const struct timespec *t)
{
    return cspr_control_instant(CLOCK_MONOTONIC, t);
}

static struct timespec to_timespec(int64_t ns)
{
    return (struct timespec){ns / NS, ns % NS};
}

static struct itimerspec tell(const virtual_timer *t)
{
    int64_t left = t->due_ns == INT64_MAX ? 0 : t->due_ns - cspr_control_time();
    if (t->due_ns != INT64_MAX && left <= 0)
        left = 1; // due: about to fire
    return (struct itimerspec){to_timespec(t->every_ns), to_timespec(left)};
}

// The kernel's: disarmed, which also takes back that it is ready; or armed so that it is ready now.
static void arm(int fd, bool now)
{
    struct itimerspec value = {.it_value.tv_nsec = now};
    libc_timerfd_settime(fd, 0, &value, NULL);
}

static int controlled_timerfd_settime(int fd, int flags, const struct itimerspec *value, struct itimerspec *old)
{
    virtual_timer *t = cspr_is_program() ? find(fd) : NULL;
    if (!t || !value || !cspr_is_instant(&value->it_value) || !cspr_is_instant(&value->it_interval))
        return libc_timerfd_settime(fd, flags, value, old);
    cspr_control_point(CSP_OP_TIMER, cspr_world_descriptor(fd));
    if (old)
        *old = tell(t);
    arm(fd, false);
    bool armed = value->it_value.tv_sec || value->it_value.tv_nsec;
    t->fired = 0;
    t->every_ns = to_ns(&value->it_interval);
    t->due_ns = INT64_MAX;
    if (armed && flags & TFD_TIMER_ABSTIME)
        t->due_ns = cspr_control_instant(t->wall ? CLOCK_REALTIME : CLOCK_MONOTONIC, &value->it_value);
    else if (armed)
        t->due_ns = cspr_control_after(&value->it_value);
    cspr_world_retime();
    return 0;
}

static int controlled_timerfd_gettime(int fd, struct itimerspec *value)
{
    const virtual_timer *t = cspr_is_program() ? find(fd) : NULL;
    if (!t)
        return libc_timerfd_gettime(fd, value);
    *value = tell(t);
    return 0;
}

int64_t cspr_timerfd_next(void)
{
    int64_t next = INT64_MAX;
    for (int i = 0; i < n_timers; i++)
        if (timers[i].fd >= 0 && timers[i].due_ns < next)
            next = timers[i].due_ns;
    return next;
}

static void fire(virtual_timer *t, int64_t now)
{
    uint64_t times = 1;
    if (t->every_ns)
        times += (uint64_t)(now - t->due_ns) / (uint64_t)t->every_ns;
    t->due_ns = t->every_ns ? t->due_ns + (int64_t)times * t->every_ns : INT64_MAX;
    t->fired += times;
    struct pollfd p = {t->fd, POLLIN, 0};
    arm(t->fd, true);
    cspr_enter();
    poll(&p, 1, -1); // a nanosecond
    cspr_leave();
}

void cspr_timerfd_fire(void)
{
    int64_t now = cspr_control_time();
    int saved = errno;
    for (int i = 0; i < n_timers; i++)
        if (timers[i].fd >= 0 && timers[i].due_ns <= now)
            fire(&timers[i], now);
    errno = saved;
}

unsigned cspr_timerfd_jumps;

bool cspr_timerfd_jump(int64_t next_ns)
{
    enum { TOO_OFTEN = 100 };
    int64_t due = cspr_timerfd_next();
    if (due >= next_ns || cspr_timerfd_jumps++ >= TOO_OFTEN)
        return false;
    if (due > cspr_control_time())
        cspr_control_set_clock(due);
    cspr_timerfd_fire();
    return true;
}

void cspr_timerfd_was_read(int fd, void *buffer, ssize_t result)
{
    virtual_timer *t = n_timers ? find(fd) : NULL;
    if (!t || result != sizeof t->fired)
        return;
    memcpy(buffer, &t->fired, sizeof t->fired);
    t->fired = 0;
}

void cspr_timerfd_closed(int fd)
{
    virtual_timer *t = n_timers ? find(fd) : NULL;
    if (t)
        t->fd = -1;
}

void cspr_control_timerfd_take_over(void)
{
    CSPR_TAKE_OVER(timerfd_create);
    CSPR_TAKE_OVER(timerfd_settime);
    CSPR_TAKE_OVER(timerfd_gettime);
}
