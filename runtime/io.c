// io.c - read, write and close that park the coroutine instead of blocking its thread.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Descriptors are never made O_NONBLOCK: the flag belongs to the open file, which other processes may share (standard
// input). So a call is first tried in a way that cannot block: MSG_DONTWAIT for sockets, RWF_NOWAIT for what supports it
// (pipes since Linux 6.4, eventfds), the plain call where the program itself has set O_NONBLOCK. If it would block, the
// coroutine parks until the descriptor is ready (poll.c) and tries again. Where no such try exists (terminals, older kernels)
// the plain call follows readiness on a thread of its own (blocking.c), since another process may have been faster.
// Regular files are always "ready" and may still block for the disk: they go there at once.
// Which of these a descriptor is, is asked anew each time but for a hint (socket or not) that the next error corrects: its
// number may mean another file by now.
// The detector sees the C library's calls below, and so the buffers and the order, as accesses of the calling coroutine.
#include "csp/io.h"

#include "io.h"

#include "csp/errno.h"

#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define NO_LIMIT (&(const cspi_limit){.until = CSPI_NO_LIMIT})

bool cspi_io_is_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && (flags & O_NONBLOCK);
}

// --- one transfer -------------------------------------------------------------------------------------------------------------

struct transfer {
    int fd;
    int side;
    char *at;
    size_t n;
    ssize_t result; // of the last call
    int error;      // its errno
};

// What a try that cannot block came to.
enum outcome {
    DONE,       // result, error
    NOT_READY,  // try again once it is
    CANNOT_TRY, // call once it is ready, which may block
    MUST_BLOCK, // call
};

static void note(struct transfer *t, ssize_t result)
{
    t->result = result;
    t->error = result < 0 ? errno : 0;
}

static bool would_block(const struct transfer *t)
{
    return t->result < 0 && (t->error == EAGAIN || t->error == EWOULDBLOCK);
}

static void transfer_plainly(void *transfer)
{
    struct transfer *t = transfer;
    do
        note(t, t->side == CSPI_POLL_READ ? read(t->fd, t->at, t->n) : write(t->fd, t->at, t->n));
    while (t->result < 0 && t->error == EINTR);
}

static enum outcome try_socket(struct transfer *t)
{
    do
        note(t, t->side == CSPI_POLL_READ ? recv(t->fd, t->at, t->n, MSG_DONTWAIT)
                                          : send(t->fd, t->at, t->n, MSG_DONTWAIT));
    while (t->result < 0 && t->error == EINTR);
    return would_block(t) ? NOT_READY : DONE;
}

static enum outcome try_other(struct transfer *t)
{
    struct stat about;
    if (fstat(t->fd, &about) != 0) {
        note(t, -1);
        return DONE;
    }
    if (S_ISSOCK(about.st_mode)) {
        cspi_poll_set_other(t->fd, false);
        return try_socket(t);
    }
    if (S_ISREG(about.st_mode) || S_ISDIR(about.st_mode) || S_ISBLK(about.st_mode))
        return MUST_BLOCK;
    const struct iovec part = {t->at, t->n};
    note(t, t->side == CSPI_POLL_READ ? preadv2(t->fd, &part, 1, -1, RWF_NOWAIT)
                                      : pwritev2(t->fd, &part, 1, -1, RWF_NOWAIT));
    if (would_block(t))
        return NOT_READY;
    if (t->result >= 0 || (t->error != EOPNOTSUPP && t->error != ENOSYS && t->error != EINTR))
        return DONE;
    if (!cspi_io_is_nonblocking(t->fd))
        return CANNOT_TRY;
    transfer_plainly(t);
    return would_block(t) ? NOT_READY : DONE;
}

static enum outcome try_without_waiting(struct transfer *t)
{
    if (t->n == 0) { // recv would take a datagram, read does not
        transfer_plainly(t);
        return DONE;
    }
    if (cspi_poll_is_other(t->fd))
        return try_other(t);
    enum outcome o = try_socket(t);
    if (o != DONE || t->result >= 0 || t->error != ENOTSOCK)
        return o;
    cspi_poll_set_other(t->fd, true);
    return try_other(t);
}

// Until t has a result; false: gave up before, errno is set.
static bool transfer_once(struct transfer *t, const cspi_limit *limit, const csp_site *site)
{
    for (;;) {
        enum outcome o = try_without_waiting(t);
        if (o == DONE)
            return true;
        int error = o == MUST_BLOCK ? EPERM : cspi_io_wait(t->fd, t->side, limit, site);
        if (error && error != EPERM) {
            errno = error;
            return false;
        }
        if (error == EPERM || o == CANNOT_TRY) {
            csp_blocking(transfer_plainly, t);
            if (!would_block(t))
                return true;
        }
    }
}

// A thread of the program without a limit just blocks.
static bool may_block(const cspi_limit *limit)
{
    return cspi_limit_is_none(limit) && cspi_is_bound(cspi_self());
}

// Blocks the thread, also where the program has set O_NONBLOCK.
static bool block_until_done(struct transfer *t)
{
    for (;;) {
        transfer_plainly(t);
        if (!would_block(t))
            return true;
        struct pollfd p = {.fd = t->fd, .events = t->side == CSPI_POLL_READ ? POLLIN : POLLOUT};
        poll(&p, 1, -1);
    }
}

static ssize_t result_of(const struct transfer *t)
{
    if (t->result < 0)
        errno = t->error;
    return t->result;
}

static ssize_t read_within(int fd, void *buf, size_t n, const cspi_limit *limit, const csp_site *site)
{
    struct transfer t = {.fd = fd, .side = CSPI_POLL_READ, .at = buf, .n = n};
    if (may_block(limit) ? block_until_done(&t) : transfer_once(&t, limit, site))
        return result_of(&t);
    return -1;
}

// All of it, as write(2) does on a descriptor that blocks.
static ssize_t write_within(int fd, const void *buf, size_t n, const cspi_limit *limit, const csp_site *site)
{
    struct transfer t = {.fd = fd, .side = CSPI_POLL_WRITE, .at = (char *)(uintptr_t)buf, .n = n};
    size_t done = 0;
    bool plain = may_block(limit);
    do {
        bool has_result = plain ? block_until_done(&t) : transfer_once(&t, limit, site);
        if (!has_result || t.result < 0)
            return done ? (ssize_t)done : has_result ? result_of(&t) : -1;
        done += (size_t)t.result;
        t.at += t.result;
        t.n -= (size_t)t.result;
    } while (t.n && t.result);
    return (ssize_t)done;
}

// --- what programs call -------------------------------------------------------------------------------------------------------

ssize_t csp_read(int fd, void *buf, size_t n)
{
    CSPI_FRAME();
    CSPI_POINT(IO, NULL);
    return read_within(fd, buf, n, NO_LIMIT, CSP_HOOK_VALUE(take_site, NULL));
}

ssize_t csp_read_until(int fd, void *buf, size_t n, int64_t at)
{
    CSPI_FRAME();
    CSPI_POINT(IO, NULL);
    return read_within(fd, buf, n, &(const cspi_limit){.until = at}, CSP_HOOK_VALUE(take_site, NULL));
}

ssize_t csp_read_ctx(int fd, void *buf, size_t n, csp_ctx *ctx)
{
    CSPI_FRAME();
    CSPI_POINT(IO, NULL);
    return read_within(fd, buf, n, &(const cspi_limit){CSPI_NO_LIMIT, ctx}, CSP_HOOK_VALUE(take_site, NULL));
}

ssize_t csp_write(int fd, const void *buf, size_t n)
{
    CSPI_FRAME();
    CSPI_POINT(IO, NULL);
    return write_within(fd, buf, n, NO_LIMIT, CSP_HOOK_VALUE(take_site, NULL));
}

ssize_t csp_write_until(int fd, const void *buf, size_t n, int64_t at)
{
    CSPI_FRAME();
    CSPI_POINT(IO, NULL);
    return write_within(fd, buf, n, &(const cspi_limit){.until = at}, CSP_HOOK_VALUE(take_site, NULL));
}

ssize_t csp_write_ctx(int fd, const void *buf, size_t n, csp_ctx *ctx)
{
    CSPI_FRAME();
    CSPI_POINT(IO, NULL);
    return write_within(fd, buf, n, &(const cspi_limit){CSPI_NO_LIMIT, ctx}, CSP_HOOK_VALUE(take_site, NULL));
}

int csp_close_fd(int fd)
{
    CSPI_FRAME();
    CSPI_POINT(IO, NULL);
    return cspi_poll_close(fd);
}
