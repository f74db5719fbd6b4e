// io_socket.c - accept and connect that park the coroutine instead of blocking its thread.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Neither has a form that does not block on a descriptor without O_NONBLOCK, and we never set that. accept waits for
// readiness and is then called on a thread of its own, where it returns at once unless another process was faster. connect
// takes as long as the network does, so it gets such a thread for its whole time. With a limit, the thread is that of a
// coroutine which works on a duplicate of the descriptor and outlives a caller that has given up.
#include "csp/io.h"

#include "io.h"

#include "csp/errno.h"
#include "csp/go.h"
#include "csp/time.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define AGAIN_NS 1000000 // a listener's queue on this host is full, and nothing tells when it is not: look again

// --- accept -----------------------------------------------------------------------------------------------------------------

struct accepting {
    int fd;
    struct sockaddr *address;
    socklen_t *size;
    int result, error;
};

static void accept_plainly(void *accepting)
{
    struct accepting *a = accepting;
    do
        a->result = accept(a->fd, a->address, a->size);
    while (a->result < 0 && (errno == EINTR || errno == ECONNABORTED));
    a->error = a->result < 0 ? errno : 0;
}

static bool is_ready(int fd, short events)
{
    struct pollfd p = {.fd = fd, .events = events};
    return poll(&p, 1, 0) > 0;
}

// Anything else fails at once.
static bool is_listener(int fd)
{
    int is_one = 0;
    socklen_t size = sizeof is_one;
    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &is_one, &size) == 0 && is_one;
}

static int accept_within(struct accepting *a, const cspi_limit *limit, const csp_site *site)
{
    bool plain = cspi_limit_is_none(limit) && cspi_is_bound(cspi_self());
    for (;;) {
        bool nonblocking = cspi_io_is_nonblocking(a->fd);
        if (plain || nonblocking || !is_listener(a->fd)) {
            accept_plainly(a);
        } else if (is_ready(a->fd, POLLIN)) { // an error is ready, too
            csp_blocking(accept_plainly, a);
        } else {
            a->result = -1;
            a->error = EAGAIN;
        }
        if (a->result >= 0)
            return a->result;
        int error = a->error;
        if (error == EAGAIN)
            error = cspi_io_wait(a->fd, CSPI_POLL_READ, limit, site);
        if (error) {
            errno = error;
            return -1;
        }
    }
}

int csp_accept(int fd, struct sockaddr *address, socklen_t *size)
{
    CSPI_FRAME();
    CSPI_POINT(IO, NULL);
    const csp_site *site = CSP_HOOK_VALUE(take_site, NULL);
    return accept_within(&(struct accepting){fd, address, size, 0, 0}, &(const cspi_limit){.until = CSPI_NO_LIMIT},
                         site);
}

int csp_accept_until(int fd, struct sockaddr *address, socklen_t *size, int64_t at)
{
    CSPI_FRAME();
    CSPI_POINT(IO, NULL);
    const csp_site *site = CSP_HOOK_VALUE(take_site, NULL);
    return accept_within(&(struct accepting){fd, address, size, 0, 0}, &(const cspi_limit){.until = at}, site);
}

int csp_accept_ctx(int fd, struct sockaddr *address, socklen_t *size, csp_ctx *ctx)
{
    CSPI_FRAME();
    CSPI_POINT(IO, NULL);
    const csp_site *site = CSP_HOOK_VALUE(take_site, NULL);
    return accept_within(&(struct accepting){fd, address, size, 0, 0}, &(const cspi_limit){CSPI_NO_LIMIT, ctx}, site);
}

// --- connect ----------------------------------------------------------------------------------------------------------------

struct connecting {
    int fd;
    const struct sockaddr *address;
    socklen_t size;
    int error;
};

// What became of a connection that went on by itself.
static int outcome_of(int fd)
{
    int error = 0;
    socklen_t size = sizeof error;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

static void connect_plainly(void *connecting)
{
    struct connecting *c = connecting;
    c->error = connect(c->fd, c->address, c->size) == 0 ? 0 : errno;
    if (c->error != EINTR)
        return;
    struct pollfd p = {.fd = c->fd, .events = POLLOUT}; // it goes on by itself
    while (poll(&p, 1, -1) < 0 && errno == EINTR)
        ;
    c->error = outcome_of(c->fd);
}

static int connect_nonblocking(struct connecting *c, const cspi_limit *limit, const csp_site *site)
{
    for (;;) {
        connect_plainly(c);
        if (c->error != EAGAIN)
            break;
        int64_t soon = cspi_now() + AGAIN_NS;
        if (limit->until < soon)
            return ETIMEDOUT;
        int error = limit->ctx ? csp_ctx_err(limit->ctx) : 0;
        if (error)
            return error;
        csp_sleep(AGAIN_NS);
    }
    if (c->error != EINPROGRESS)
        return c->error;
    int error = cspi_io_wait(c->fd, CSPI_POLL_WRITE, limit, site);
    return error ? error : outcome_of(c->fd);
}

// The caller's and the connecting coroutine's.
struct call {
    struct connecting connecting;
    struct sockaddr_storage address;
    int done;      // eventfd: raised when connecting.error is valid
    uint32_t refs; // atomic: R1, what the others did happens before the last one frees it
};

static void drop(struct call *call)
{
    if (__atomic_sub_fetch(&call->refs, 1, __ATOMIC_ACQ_REL)) // R1
        return;
    close(call->done);
    CSP_HOOK(ignore_begin);
    free(call);
    CSP_HOOK(ignore_end);
}

static void connect_for_caller(void *arg)
{
    struct call *call = arg;
    csp_blocking(connect_plainly, &call->connecting);
    close(call->connecting.fd);
    eventfd_write(call->done, 1);
    drop(call);
}

// NULL: errno tells.
static struct call *new_call(const struct connecting *c)
{
    if (c->size > sizeof(struct sockaddr_storage)) {
        errno = EINVAL;
        return NULL;
    }
    CSP_HOOK(ignore_begin);
    struct call *call = calloc(1, sizeof *call);
    CSP_HOOK(ignore_end);
    if (!call)
        return NULL;
    memcpy(&call->address, c->address, c->size);
    int fd = fcntl(c->fd, F_DUPFD_CLOEXEC, 0);
    call->connecting = (struct connecting){fd, (const struct sockaddr *)&call->address, c->size, 0};
    call->done = fd < 0 ? -1 : eventfd(0, EFD_CLOEXEC);
    call->refs = 2;
    if (call->done >= 0)
        return call;
    int saved = errno;
    if (fd >= 0)
        close(fd);
    CSP_HOOK(ignore_begin);
    free(call);
    CSP_HOOK(ignore_end);
    errno = saved;
    return NULL;
}

static int connect_limited(const struct connecting *c, const cspi_limit *limit, const csp_site *site)
{
    struct call *call = new_call(c);
    if (!call)
        return errno;
    csp_go(connect_for_caller, call);
    int error = cspi_io_wait(call->done, CSPI_POLL_READ, limit, site);
    if (!error) {
        eventfd_t one;
        eventfd_read(call->done, &one); // ready: does not block; orders us after the connecting
        error = call->connecting.error;
    }
    drop(call);
    return error;
}

static int connect_within(struct connecting *c, const cspi_limit *limit, const csp_site *site)
{
    int error;
    if (cspi_io_is_nonblocking(c->fd)) {
        error = connect_nonblocking(c, limit, site);
    } else if (cspi_limit_is_none(limit)) {
        csp_blocking(connect_plainly, c);
        error = c->error;
    } else {
        error = connect_limited(c, limit, site);
    }
    errno = error;
    return error ? -1 : 0;
}

int csp_connect(int fd, const struct sockaddr *address, socklen_t size)
{
    CSPI_FRAME();
    CSPI_POINT(IO, NULL);
    const csp_site *site = CSP_HOOK_VALUE(take_site, NULL);
    return connect_within(&(struct connecting){fd, address, size, 0}, &(const cspi_limit){.until = CSPI_NO_LIMIT},
                          site);
}

int csp_connect_until(int fd, const struct sockaddr *address, socklen_t size, int64_t at)
{
    CSPI_FRAME();
    CSPI_POINT(IO, NULL);
    const csp_site *site = CSP_HOOK_VALUE(take_site, NULL);
    return connect_within(&(struct connecting){fd, address, size, 0}, &(const cspi_limit){.until = at}, site);
}

int csp_connect_ctx(int fd, const struct sockaddr *address, socklen_t size, csp_ctx *ctx)
{
    CSPI_FRAME();
    CSPI_POINT(IO, NULL);
    const csp_site *site = CSP_HOOK_VALUE(take_site, NULL);
    return connect_within(&(struct connecting){fd, address, size, 0}, &(const cspi_limit){CSPI_NO_LIMIT, ctx}, site);
}
