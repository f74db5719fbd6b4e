// control_poll.c - waiting for several descriptors under a controlled schedule: poll, epoll and select in all their forms.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Each is its own question without waiting, asked again whenever something may have changed (control_world.h).
#include "control/control_world.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/select.h>

CSPR_LIBC(poll);

bool cspr_world_is_ready(int fd, short events)
{
    struct pollfd p = {fd, events, 0};
    int saved = errno;
    cspr_timerfd_fire();
    int n = libc_poll(&p, 1, 0);
    errno = saved;
    return n != 0;
}

static int64_t after_ms(int ms)
{
    return ms < 0 ? INT64_MAX : cspr_control_after(&(struct timespec){ms / 1000, ms % 1000 * 1000000L});
}

static int64_t after(const struct timespec *t)
{
    return t ? cspr_control_after(t) : INT64_MAX;
}

// Looks, by look(arg), which is poll or the like without waiting, until it finds something or the time is over; what tells of news
// is in fds.
static int look_until(int (*look)(void *arg), void *arg, struct pollfd *fds, nfds_t n, int64_t deadline)
{
    const void *obj = n ? cspr_world_descriptor(fds[0].fd) : NULL;
    cspr_control_testcancel();
    cspr_control_point(CSP_OP_IO, obj);
    for (;;) {
        cspr_timerfd_fire();
        int found = look(arg);
        if (found)
            return found;
        if (deadline <= cspr_control_time()) {
            cspr_control_point_idle(CSP_OP_IO, obj);
            return 0;
        }
        if (!cspr_world_await(fds, n, deadline))
            return look(arg);
        cspr_control_testcancel();
        if (cspr_control_was_interrupted(false)) {
            errno = EINTR;
            return -1;
        }
    }
}

typedef struct polling {
    struct pollfd *fds;
    nfds_t n;
    const sigset_t *mask;
} polling;

CSPR_LIBC(ppoll);
CSPR_LIBC(__poll_chk);
static const struct timespec at_once;

static int look_by_poll(void *arg)
{
    const polling *p = arg;
    return p->mask ? libc_ppoll(p->fds, p->n, &at_once, p->mask) : libc_poll(p->fds, p->n, 0);
}

static int controlled_poll(struct pollfd *fds, nfds_t n, int timeout)
{
    if (!cspr_is_program())
        return libc_poll(fds, n, timeout);
    return look_until(look_by_poll, &(polling){fds, n, NULL}, fds, n, after_ms(timeout));
}

static int controlled___poll_chk(struct pollfd *fds, nfds_t n, int timeout, size_t room)
{
    if (!cspr_is_program() || room / sizeof *fds < n)
        return libc___poll_chk(fds, n, timeout, room);
    return look_until(look_by_poll, &(polling){fds, n, NULL}, fds, n, after_ms(timeout));
}

static int controlled_ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout, const sigset_t *mask)
{
    if (!cspr_is_program() || (timeout && (timeout->tv_sec < 0 || !cspr_is_instant(timeout))))
        return libc_ppoll(fds, n, timeout, mask);
    return look_until(look_by_poll, &(polling){fds, n, mask}, fds, n, after(timeout));
}

CSPR_LIBC(epoll_wait);
CSPR_LIBC(epoll_pwait);
CSPR_LIBC(epoll_pwait2);

typedef struct event_polling {
    int set;
    struct epoll_event *events;
    int max;
    const sigset_t *mask;
} event_polling;

static int look_by_epoll(void *arg)
{
    const event_polling *p = arg;
    return libc_epoll_pwait(p->set, p->events, p->max, 0, p->mask);
}

static int epoll_until(event_polling p, int64_t deadline)
{
    struct pollfd one = {p.set, POLLIN, 0};
    return look_until(look_by_epoll, &p, &one, 1, deadline);
}

static int controlled_epoll_wait(int set, struct epoll_event *events, int max, int timeout)
{
    if (!cspr_is_program())
        return libc_epoll_wait(set, events, max, timeout);
    return epoll_until((event_polling){set, events, max, NULL}, after_ms(timeout));
}

static int controlled_epoll_pwait(int set, struct epoll_event *events, int max, int timeout, const sigset_t *mask)
{
    if (!cspr_is_program())
        return libc_epoll_pwait(set, events, max, timeout, mask);
    return epoll_until((event_polling){set, events, max, mask}, after_ms(timeout));
}

static int controlled_epoll_pwait2(int set, struct epoll_event *events, int max, const struct timespec *timeout,
                                   const sigset_t *mask)
{
    if (!cspr_is_program() || (timeout && (timeout->tv_sec < 0 || !cspr_is_instant(timeout))))
        return libc_epoll_pwait2(set, events, max, timeout, mask);
    return epoll_until((event_polling){set, events, max, mask}, after(timeout));
}

CSPR_LIBC(select);
CSPR_LIBC(pselect);

typedef struct selecting {
    int n;
    fd_set *in, *out, *other; // the program's, for what is found
    fd_set asked_in, asked_out, asked_other;
    const sigset_t *mask;
} selecting;

// The sets are as asked again before each look; one that finds nothing empties them, as select does.
static int look_by_select(void *arg)
{
    selecting *s = arg;
    if (s->in)
        *s->in = s->asked_in;
    if (s->out)
        *s->out = s->asked_out;
    if (s->other)
        *s->other = s->asked_other;
    return libc_pselect(s->n, s->in, s->out, s->other, &at_once, s->mask);
}

static nfds_t to_pollfds(const selecting *s, struct pollfd *fds)
{
    nfds_t n = 0;
    for (int fd = 0; fd < s->n; fd++) {
        int events = (s->in && FD_ISSET(fd, &s->asked_in) ? POLLIN : 0) |
                     (s->out && FD_ISSET(fd, &s->asked_out) ? POLLOUT : 0) |
                     (s->other && FD_ISSET(fd, &s->asked_other) ? POLLPRI : 0);
        if (events)
            fds[n++] = (struct pollfd){fd, (short)events, 0};
    }
    return n;
}

static int select_until(int n, fd_set *in, fd_set *out, fd_set *other, const sigset_t *mask, int64_t deadline)
{
    struct pollfd fds[FD_SETSIZE];
    selecting s = {.n = n, .in = in, .out = out, .other = other, .mask = mask};
    if (in)
        s.asked_in = *in;
    if (out)
        s.asked_out = *out;
    if (other)
        s.asked_other = *other;
    return look_until(look_by_select, &s, fds, to_pollfds(&s, fds), deadline);
}

static int controlled_select(int n, fd_set *restrict in, fd_set *restrict out, fd_set *restrict other,
                             struct timeval *restrict timeout)
{
    if (!cspr_is_program() || n < 0 || n > FD_SETSIZE || (timeout && (timeout->tv_sec < 0 || timeout->tv_usec < 0)))
        return libc_select(n, in, out, other, timeout);
    int64_t until = INT64_MAX;
    if (timeout)
        until = cspr_control_after(
            &(struct timespec){timeout->tv_sec + timeout->tv_usec / 1000000, timeout->tv_usec % 1000000 * 1000});
    int found = select_until(n, in, out, other, NULL, until);
    int64_t left = until - cspr_control_time();
    if (timeout && found >= 0) // Linux tells what is left
        *timeout = left > 0 ? (struct timeval){left / 1000000000, left % 1000000000 / 1000} : (struct timeval){0, 0};
    return found;
}

static int controlled_pselect(int n, fd_set *restrict in, fd_set *restrict out, fd_set *restrict other,
                              const struct timespec *restrict timeout, const sigset_t *restrict mask)
{
    if (!cspr_is_program() || n < 0 || n > FD_SETSIZE ||
        (timeout && (timeout->tv_sec < 0 || !cspr_is_instant(timeout))))
        return libc_pselect(n, in, out, other, timeout, mask);
    return select_until(n, in, out, other, mask, after(timeout));
}

void cspr_control_poll_take_over(void)
{
    CSPR_TAKE_OVER(poll);
    CSPR_TAKE_OVER(ppoll);
    CSPR_TAKE_OVER(__poll_chk);
    CSPR_TAKE_OVER(epoll_wait);
    CSPR_TAKE_OVER(epoll_pwait);
    CSPR_TAKE_OVER(epoll_pwait2);
    CSPR_TAKE_OVER(select);
    CSPR_TAKE_OVER(pselect);
}
