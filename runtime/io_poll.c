// io_poll.c - poll for coroutines: one descriptor, or many through a set of their own.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Many descriptors go into an epoll set made for the call, and that set is one descriptor to wait for: no coroutine is
// ever in more than one queue, and what the set reports is asked of poll(2) again, so the answers are the kernel's.
// Without room for a set (EMFILE, ENOMEM), poll(2) itself is called on a thread of its own.
#include "csp/io.h"

#include "io.h"

#include "csp/context.h"
#include "csp/errno.h"

#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define SLICE_NS 10000000 // so often a thread in poll(2) looks whether its context was cancelled

// --- poll(2) on a thread of its own ---------------------------------------------------------------------------------------

struct slow_poll {
    struct pollfd *fds;
    nfds_t n;
    const cspi_limit *limit;
    int result, error; // error: of poll(2), or of the limit
};

// How long this slice may take; false: the limit is reached.
static bool next_slice(struct slow_poll *p, struct timespec *slice)
{
    int64_t left = p->limit->until == CSPI_NO_LIMIT ? SLICE_NS : p->limit->until - cspi_now();
    p->error = p->limit->ctx ? csp_ctx_err(p->limit->ctx) : 0;
    if (!p->error && left <= 0)
        p->error = ETIMEDOUT;
    left = left < SLICE_NS ? left : SLICE_NS;
    *slice = (struct timespec){.tv_nsec = (long)left};
    return !p->error;
}

static void poll_slowly(void *slow)
{
    struct slow_poll *p = slow;
    struct timespec slice;
    bool forever = cspi_limit_is_none(p->limit);
    p->error = 0;
    do {
        if (!forever && !next_slice(p, &slice))
            return;
        p->result = ppoll(p->fds, p->n, forever ? NULL : &slice, NULL);
    } while (p->result == 0 || (p->result < 0 && errno == EINTR));
    p->error = p->result < 0 ? errno : 0;
}

int cspi_io_wait(int fd, int side, const cspi_limit *limit, const csp_site *site)
{
    int error = cspi_poll_wait(fd, side, limit, site);
    if (!error || error == EPERM || error == EBADF || error == ETIMEDOUT || error == ECANCELED)
        return error;
    struct pollfd one = {.fd = fd, .events = side == CSPI_POLL_READ ? POLLIN : POLLOUT};
    struct slow_poll p = {&one, 1, limit, 0, 0};
    csp_blocking(poll_slowly, &p);
    return p.error;
}

// --- many descriptors -------------------------------------------------------------------------------------------------------

static bool add_to_set(int set, const struct pollfd *p)
{
    // The bits of poll(2) and epoll are the same.
    struct epoll_event e = {.events = (uint16_t)p->events, .data.fd = p->fd};
    if (syscall(SYS_epoll_ctl, set, EPOLL_CTL_ADD, p->fd, &e) == 0 || errno == EPERM)
        return true; // EPERM: always ready, which poll(2) has told if it was asked for
    if (errno != EEXIST)
        return false;
    // The number twice: whatever happens to it, poll(2) tells which entry it was.
    e.events = EPOLLIN | EPOLLOUT | EPOLLPRI | EPOLLRDHUP;
    return syscall(SYS_epoll_ctl, set, EPOLL_CTL_MOD, p->fd, &e) == 0;
}

// A new set, or -1: no room.
static int make_set(const struct pollfd *fds, nfds_t n)
{
    int set = (int)syscall(SYS_epoll_create1, EPOLL_CLOEXEC);
    for (nfds_t i = 0; set >= 0 && i < n; i++)
        if (fds[i].fd >= 0 && !add_to_set(set, &fds[i])) {
            syscall(SYS_close, set);
            set = -1;
        }
    return set;
}

// 0 or an errno. The descriptors are none of them ready just now, or have changed since.
static int wait_for_any(struct pollfd *fds, nfds_t n, const cspi_limit *limit, const csp_site *site)
{
    if (n == 1 && fds->fd >= 0 && (fds->events == POLLIN || fds->events == POLLOUT))
        return cspi_io_wait(fds->fd, fds->events == POLLIN ? CSPI_POLL_READ : CSPI_POLL_WRITE, limit, site);
    int set = make_set(fds, n);
    if (set >= 0) {
        int error = cspi_io_wait(set, CSPI_POLL_READ, limit, site);
        syscall(SYS_close, set);
        return error;
    }
    struct slow_poll p = {fds, n, limit, 0, 0};
    csp_blocking(poll_slowly, &p);
    return p.error;
}

static int poll_at_once(struct pollfd *fds, nfds_t n)
{
    int ready;
    do
        ready = poll(fds, n, 0);
    while (ready < 0 && errno == EINTR);
    return ready;
}

static int poll_within(struct pollfd *fds, nfds_t n, int timeout_ms, const cspi_limit *limit, const csp_site *site)
{
    int ready = poll_at_once(fds, n);
    if (ready || timeout_ms == 0)
        return ready;
    cspi_limit sooner = *limit;
    bool is_own = false; // poll's own timeout comes first
    if (timeout_ms > 0) {
        int64_t at = cspi_now() + (int64_t)timeout_ms * 1000000;
        is_own = at <= limit->until;
        sooner.until = is_own ? at : limit->until;
    }
    for (;;) {
        int error = wait_for_any(fds, n, &sooner, site);
        ready = poll_at_once(fds, n);
        if (ready)
            return ready;
        if (error == ETIMEDOUT && is_own)
            return 0;
        if (error == ETIMEDOUT || error == ECANCELED) {
            errno = error;
            return -1;
        }
    }
}

int csp_poll(struct pollfd *fds, nfds_t n, int timeout_ms)
{
    CSPI_FRAME();
    CSPI_POINT(IO, NULL);
    const csp_site *site = CSP_HOOK_VALUE(take_site, NULL);
    return poll_within(fds, n, timeout_ms, &(const cspi_limit){.until = CSPI_NO_LIMIT}, site);
}

int csp_poll_until(struct pollfd *fds, nfds_t n, int64_t at)
{
    CSPI_FRAME();
    CSPI_POINT(IO, NULL);
    const csp_site *site = CSP_HOOK_VALUE(take_site, NULL);
    return poll_within(fds, n, -1, &(const cspi_limit){.until = at}, site);
}

int csp_poll_ctx(struct pollfd *fds, nfds_t n, csp_ctx *ctx)
{
    CSPI_FRAME();
    CSPI_POINT(IO, NULL);
    const csp_site *site = CSP_HOOK_VALUE(take_site, NULL);
    return poll_within(fds, n, -1, &(const cspi_limit){CSPI_NO_LIMIT, ctx}, site);
}
