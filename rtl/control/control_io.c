// control_io.c - reading, writing and waiting for descriptors under a controlled schedule.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What is ready is done at once; else the turn is given away until it is. A write that would block in the middle is made of parts,
// as the kernel would: for that the descriptor is made non-blocking for a moment, in which nobody else of this process runs.
// Descriptors that do not block are left alone.
#include "control/control_world.h"
#include "intercept/io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

// --- one descriptor ----------------------------------------------------------------------------------------------------------------

CSPR_LIBC(fcntl);

// Would a call wait there for the event? Not where it is not allowed at all: it fails.
static bool is_blocking(int fd, short event)
{
    int saved = errno, flags = libc_fcntl(fd, F_GETFL);
    errno = saved;
    return flags >= 0 && !(flags & O_NONBLOCK) && (flags & O_ACCMODE) != (event == POLLIN ? O_WRONLY : O_RDONLY);
}

// SO_RCVTIMEO, SO_SNDTIMEO.
static int64_t limit_of(int fd, short events)
{
    struct timeval t = {0, 0};
    socklen_t size = sizeof t;
    int saved = errno;
    int error = getsockopt(fd, SOL_SOCKET, events == POLLIN ? SO_RCVTIMEO : SO_SNDTIMEO, &t, &size);
    errno = saved;
    if (error || (!t.tv_sec && !t.tv_usec))
        return INT64_MAX;
    return cspr_control_after(&(struct timespec){t.tv_sec, t.tv_usec * 1000});
}

// 0: the call will not block now; else its error. flags: a socket call's.
static int wait_until_ready(int fd, short events, int flags)
{
    int64_t deadline = INT64_MAX;
    bool first = true;
    while (!cspr_world_is_ready(fd, events)) {
        if (first && (flags & MSG_DONTWAIT || !is_blocking(fd, events))) {
            cspr_control_point_idle(CSP_OP_IO, cspr_world_descriptor(fd));
            return 0;
        }
        if (first)
            deadline = limit_of(fd, events);
        first = false;
        struct pollfd p = {fd, events, 0};
        if (!cspr_world_await(&p, 1, deadline))
            return EAGAIN;
        cspr_control_testcancel();
        if (cspr_control_was_interrupted(true))
            return EINTR;
    }
    return 0;
}

// Before a call on the descriptor. False: it fails, with errno.
static bool may_go_on(int fd, short events, int flags)
{
    if (!cspr_is_program())
        return true;
    cspr_control_testcancel();
    cspr_control_point(CSP_OP_IO, cspr_world_descriptor(fd));
    int error = wait_until_ready(fd, events, flags);
    if (error)
        errno = error;
    return error == 0;
}

static void changed(void)
{
    int saved = errno;
    cspr_world_changed();
    errno = saved;
}

// --- calls that wait until something is there ----------------------------------------------------------------------------------------

// Also bytes of randomness, and how often a timer has fired.
#define READS(name, params, args)                                                                                      \
    CSPR_LIBC(name);                                                                                                   \
    static ssize_t controlled_##name params                                                                            \
    {                                                                                                                  \
        if (cspr_is_program() && cspr_random_read(fd, buffer, n))                                                      \
            return (ssize_t)n;                                                                                         \
        if (!may_go_on(fd, POLLIN, 0))                                                                                 \
            return -1;                                                                                                 \
        ssize_t result = libc_##name args;                                                                             \
        cspr_timerfd_was_read(fd, buffer, result);                                                                     \
        changed();                                                                                                     \
        return result;                                                                                                 \
    }
READS(read, (int fd, void *buffer, size_t n), (fd, buffer, n))
READS(__read_chk, (int fd, void *buffer, size_t n, size_t room), (fd, buffer, n, room))

#define TAKES(ret, name, params, args, flags)                                                                          \
    CSPR_LIBC(name);                                                                                                   \
    static ret controlled_##name params                                                                                \
    {                                                                                                                  \
        if (!may_go_on(fd, POLLIN, flags))                                                                             \
            return -1;                                                                                                 \
        ret result = libc_##name args;                                                                                 \
        changed();                                                                                                     \
        return result;                                                                                                 \
    }
TAKES(ssize_t, __recv_chk, (int fd, void *buffer, size_t n, size_t room, int flags),
      (fd, buffer, n, room, flags & ~MSG_WAITALL), flags)
TAKES(ssize_t, recvfrom, (int fd, void *buffer, size_t n, int flags, __SOCKADDR_ARG address, socklen_t *size),
      (fd, buffer, n, flags & ~MSG_WAITALL, address, size), flags)
TAKES(ssize_t, __recvfrom_chk,
      (int fd, void *buffer, size_t n, size_t room, int flags, __SOCKADDR_ARG address, socklen_t *size),
      (fd, buffer, n, room, flags & ~MSG_WAITALL, address, size), flags)
TAKES(ssize_t, recvmsg, (int fd, struct msghdr *m, int flags), (fd, m, flags & ~MSG_WAITALL), flags)
TAKES(int, eventfd_read, (int fd, uint64_t *value), (fd, value), 0)
TAKES(ssize_t, readv, (int fd, const struct iovec *vector, int n), (fd, vector, n), 0)
TAKES(int, accept, (int fd, __SOCKADDR_ARG address, socklen_t *size), (fd, address, size), 0)
TAKES(int, accept4, (int fd, __SOCKADDR_ARG address, socklen_t *size, int flags), (fd, address, size, flags), 0)

// With MSG_WAITALL it takes as many parts as it needs.
CSPR_LIBC(recv);
static ssize_t controlled_recv(int fd, void *buffer, size_t n, int flags)
{
    size_t had = 0;
    ssize_t part = -1;
    if (!cspr_is_program())
        return libc_recv(fd, buffer, n, flags);
    do {
        if (!may_go_on(fd, POLLIN, flags))
            break;
        part = libc_recv(fd, (char *)buffer + had, n - had, flags & ~MSG_WAITALL);
        had += part > 0 ? (size_t)part : 0;
        changed();
    } while (flags & MSG_WAITALL && !(flags & (MSG_PEEK | MSG_DONTWAIT)) && part > 0 && had < n);
    return had ? (ssize_t)had : part;
}

// --- calls that wait until there is room ----------------------------------------------------------------------------------------------

typedef ssize_t give_fn(int fd, const void *buffer, size_t n, int flags);

CSPR_LIBC(write);
CSPR_LIBC(send);

static ssize_t give_by_write(int fd, const void *buffer, size_t n, int flags)
{
    (void)flags;
    return libc_write(fd, buffer, n);
}

static ssize_t give_by_send(int fd, const void *buffer, size_t n, int flags)
{
    return libc_send(fd, buffer, n, flags);
}

// So much as there is room for now; EAGAIN: none.
static ssize_t give_some(give_fn *give, int fd, const void *buffer, size_t n, int flags)
{
    int mode = libc_fcntl(fd, F_GETFL);
    libc_fcntl(fd, F_SETFL, mode | O_NONBLOCK);
    ssize_t result = give(fd, buffer, n, flags);
    int saved = errno;
    libc_fcntl(fd, F_SETFL, mode);
    errno = saved;
    return result;
}

static bool may_block_within(int fd, int flags)
{
    struct stat st;
    int saved = errno;
    bool may = !(flags & MSG_DONTWAIT) && fstat(fd, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode)) &&
               is_blocking(fd, POLLOUT);
    errno = saved;
    return may;
}

static ssize_t give_all(give_fn *give, int fd, const void *buffer, size_t n, int flags)
{
    if (!cspr_is_program())
        return give(fd, buffer, n, flags);
    cspr_control_testcancel();
    cspr_control_point(CSP_OP_IO, cspr_world_descriptor(fd));
    ssize_t result;
    if (!may_block_within(fd, flags)) {
        result = give(fd, buffer, n, flags);
        changed();
        return result;
    }
    size_t given = 0;
    for (;;) {
        result = give_some(give, fd, (const char *)buffer + given, n - given, flags);
        changed();
        given += result > 0 ? (size_t)result : 0;
        if (given == n || (result < 0 && errno != EAGAIN && errno != EWOULDBLOCK))
            break;
        int error = wait_until_ready(fd, POLLOUT, flags);
        if (error) {
            errno = error;
            break;
        }
    }
    return given ? (ssize_t)given : result;
}

static ssize_t controlled_write(int fd, const void *buffer, size_t n)
{
    return give_all(give_by_write, fd, buffer, n, 0);
}

static ssize_t controlled_send(int fd, const void *buffer, size_t n, int flags)
{
    return give_all(give_by_send, fd, buffer, n, flags);
}

#define GIVES(ret, name, params, args, flags)                                                                          \
    CSPR_LIBC(name);                                                                                                   \
    static ret controlled_##name params                                                                                \
    {                                                                                                                  \
        if (!may_go_on(fd, POLLOUT, flags))                                                                            \
            return -1;                                                                                                 \
        ret result = libc_##name args;                                                                                 \
        changed();                                                                                                     \
        return result;                                                                                                 \
    }
GIVES(ssize_t, sendto, (int fd, const void *buffer, size_t n, int flags, __CONST_SOCKADDR_ARG address, socklen_t size),
      (fd, buffer, n, flags, address, size), flags)
GIVES(ssize_t, writev, (int fd, const struct iovec *vector, int n), (fd, vector, n), 0)
GIVES(ssize_t, sendmsg, (int fd, const struct msghdr *m, int flags), (fd, m, flags), flags)
GIVES(int, eventfd_write, (int fd, uint64_t value), (fd, value), 0)

// --- calls that do not wait, but let others on -----------------------------------------------------------------------------------------

#define CHANGES(ret, name, params, args)                                                                               \
    CSPR_LIBC(name);                                                                                                   \
    static ret controlled_##name params                                                                                \
    {                                                                                                                  \
        if (!cspr_is_program())                                                                                        \
            return libc_##name args;                                                                                   \
        cspr_control_point(CSP_OP_IO, cspr_world_descriptor(fd));                                                      \
        ret result = libc_##name args;                                                                                 \
        changed();                                                                                                     \
        return result;                                                                                                 \
    }
CHANGES(int, connect, (int fd, __CONST_SOCKADDR_ARG address, socklen_t size), (fd, address, size))
CHANGES(int, listen, (int fd, int backlog), (fd, backlog))
CHANGES(int, shutdown, (int fd, int how), (fd, how))
CHANGES(int, dup2, (int from, int fd), (from, fd))
CHANGES(int, dup3, (int from, int fd, int flags), (from, fd, flags))
CHANGES(int, epoll_ctl, (int fd, int operation, int member, struct epoll_event *event), (fd, operation, member, event))

#define MOVES(name, params, args)                                                                                      \
    CSPR_LIBC(name);                                                                                                   \
    static ssize_t controlled_##name params                                                                            \
    {                                                                                                                  \
        if (!may_go_on(in, POLLIN, 0) || !may_go_on(out, POLLOUT, 0))                                                  \
            return -1;                                                                                                 \
        ssize_t result = libc_##name args;                                                                             \
        changed();                                                                                                     \
        return result;                                                                                                 \
    }
MOVES(sendfile, (int out, int in, off_t *at, size_t n), (out, in, at, n))
MOVES(sendfile64, (int out, int in, off64_t *at, size_t n), (out, in, at, n))
MOVES(splice, (int in, off64_t *in_at, int out, off64_t *out_at, size_t n, unsigned flags),
      (in, in_at, out, out_at, n, flags))
MOVES(tee, (int in, int out, size_t n, unsigned flags), (in, out, n, flags))

CSPR_LIBC(close);
static int controlled_close(int fd)
{
    if (!cspr_is_program())
        return libc_close(fd);
    cspr_control_point(CSP_OP_IO, cspr_world_descriptor(fd));
    cspr_timerfd_closed(fd);
    int result = libc_close(fd);
    changed();
    return result;
}

// --- streams ------------------------------------------------------------------------------------------------------------------------------

// Before libc reads into an empty buffer; a part of a line is taken for a whole one: for the rest libc waits with the turn.
static void await_stream(FILE *f)
{
    int saved = errno;
    if (!f || !cspr_is_program() || f->_IO_read_ptr < f->_IO_read_end)
        return;
    int fd = fileno_unlocked(f);
    if (fd >= 0)
        may_go_on(fd, POLLIN, 0);
    errno = saved;
}

#define READS_STREAM(ret, name, params, args, stream)                                                                  \
    CSPR_LIBC(name);                                                                                                   \
    static ret controlled_##name params                                                                                \
    {                                                                                                                  \
        await_stream(stream);                                                                                          \
        return libc_##name args;                                                                                       \
    }
READS_STREAM(char *, fgets, (char *restrict out, int n, FILE *restrict f), (out, n, f), f)
READS_STREAM(char *, __fgets_chk, (char *restrict out, size_t room, int n, FILE *restrict f), (out, room, n, f), f)
READS_STREAM(size_t, fread, (void *restrict out, size_t size, size_t n, FILE *restrict f), (out, size, n, f), f)
READS_STREAM(size_t, __fread_chk, (void *restrict out, size_t room, size_t size, size_t n, FILE *restrict f),
             (out, room, size, n, f), f)
READS_STREAM(int, fgetc, (FILE * f), (f), f)
READS_STREAM(int, getc, (FILE * f), (f), f)
READS_STREAM(int, getchar, (void), (), stdin)
READS_STREAM(ssize_t, getline, (char **restrict line, size_t *restrict n, FILE *restrict f), (line, n, f), f)
READS_STREAM(ssize_t, __getdelim, (char **restrict line, size_t *restrict n, int end, FILE *restrict f),
             (line, n, end, f), f)
READS_STREAM(ssize_t, getdelim, (char **restrict line, size_t *restrict n, int end, FILE *restrict f),
             (line, n, end, f), f)
READS_STREAM(int, vfscanf, (FILE * f, const char *format, va_list args), (f, format, args), f)
READS_STREAM(int, __isoc99_vfscanf, (FILE * f, const char *format, va_list args), (f, format, args), f)

// --- locks of files ------------------------------------------------------------------------------------------------------------------------

CSPR_LIBC(flock);

static int controlled_flock(int fd, int operation)
{
    if (!cspr_is_program())
        return libc_flock(fd, operation);
    cspr_control_point(operation & LOCK_UN ? CSP_OP_UNLOCK : CSP_OP_LOCK, cspr_world_descriptor(fd));
    int result;
    while ((result = libc_flock(fd, operation | LOCK_NB)) && errno == EWOULDBLOCK && !(operation & LOCK_NB)) {
        cspr_world_await_retry(CSP_OP_LOCK, cspr_world_descriptor(fd), INT64_MAX, NULL);
        if (cspr_control_was_interrupted(true)) {
            errno = EINTR;
            return -1;
        }
    }
    if (result == 0)
        cspr_world_retry();
    return result;
}

// Locks that are waited for are tried until they are had; all else does not block.
CSPR_LIBC(fcntl64);
#define CONTROLS(name)                                                                                                 \
    static int controlled_##name(int fd, int command, ...)                                                             \
    {                                                                                                                  \
        va_list rest;                                                                                                  \
        va_start(rest, command);                                                                                       \
        void *arg = va_arg(rest, void *);                                                                              \
        va_end(rest);                                                                                                  \
        bool waits = command == F_SETLKW || command == F_OFD_SETLKW;                                                   \
        if (!waits || !cspr_is_program())                                                                              \
            return libc_##name(fd, command, arg);                                                                      \
        int attempt = command == F_SETLKW ? F_SETLK : F_OFD_SETLK, result;                                             \
        cspr_control_point(CSP_OP_LOCK, cspr_world_descriptor(fd));                                                    \
        while ((result = libc_##name(fd, attempt, arg)) && (errno == EAGAIN || errno == EACCES))                       \
            cspr_world_await_retry(CSP_OP_LOCK, cspr_world_descriptor(fd), INT64_MAX, NULL);                           \
        return result;                                                                                                 \
    }
CONTROLS(fcntl)
CONTROLS(fcntl64)

void cspr_control_io_take_over(void)
{
    CSPR_TAKE_OVER(read);
    CSPR_TAKE_OVER(__read_chk);
    CSPR_TAKE_OVER(recv);
    CSPR_TAKE_OVER(__recv_chk);
    CSPR_TAKE_OVER(recvfrom);
    CSPR_TAKE_OVER(__recvfrom_chk);
    CSPR_TAKE_OVER(recvmsg);
    CSPR_TAKE_OVER(eventfd_read);
    CSPR_TAKE_OVER(readv);
    CSPR_TAKE_OVER(accept);
    CSPR_TAKE_OVER(accept4);
    CSPR_TAKE_OVER(write);
    CSPR_TAKE_OVER(send);
    CSPR_TAKE_OVER(sendto);
    CSPR_TAKE_OVER(writev);
    CSPR_TAKE_OVER(sendmsg);
    CSPR_TAKE_OVER(eventfd_write);
    CSPR_TAKE_OVER(connect);
    CSPR_TAKE_OVER(listen);
    CSPR_TAKE_OVER(shutdown);
    CSPR_TAKE_OVER(close);
    CSPR_TAKE_OVER(dup2);
    CSPR_TAKE_OVER(dup3);
    CSPR_TAKE_OVER(epoll_ctl);
    CSPR_TAKE_OVER(sendfile);
    CSPR_TAKE_OVER(sendfile64);
    CSPR_TAKE_OVER(splice);
    CSPR_TAKE_OVER(tee);
    CSPR_TAKE_OVER(flock);
    CSPR_TAKE_OVER(fgets);
    CSPR_TAKE_OVER(__fgets_chk);
    CSPR_TAKE_OVER(fread);
    CSPR_TAKE_OVER(__fread_chk);
    CSPR_TAKE_OVER(fgetc);
    CSPR_TAKE_OVER(getc);
    CSPR_TAKE_OVER(getchar);
    CSPR_TAKE_OVER(getline);
    CSPR_TAKE_OVER(__getdelim);
    CSPR_TAKE_OVER(getdelim);
    CSPR_TAKE_OVER(vfscanf);
    CSPR_TAKE_OVER(__isoc99_vfscanf);
    CSPR_TAKE_OVER(fcntl);
    CSPR_TAKE_OVER(fcntl64);
}
