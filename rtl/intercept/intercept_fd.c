// intercept_fd.c - the life of file descriptors: who makes them, copies them and gives them back.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Edges: close -> the next descriptor of that number; close, shutdown -> the end of file it makes; connect -> accept;
// listen -> connect; epoll_ctl -> epoll_wait; timerfd_settime -> read. What goes through descriptors: intercept_io.c.
// Where the order is kept: fd.h. The real functions run outside the detector: some block, and are cancellation points.
#include "intercept/io.h"
#include "support/libc.h"
#include "support/modules.h"
#include "sync/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/file.h>

// rtl itself opens files before it knows libc's functions: to read its options.
static bool is_checked(void)
{
    if (!cspr_ready && !cspr_real_close)
        cspr_intercept_init();
    return cspr_ready && !cspr_bypass();
}

#define OPENS(name, params, args)                                                                                      \
    CSPR_INTERCEPTOR int name params                                                                                   \
    {                                                                                                                  \
        if (!is_checked())                                                                                             \
            return cspr_real_##name args;                                                                              \
        CSPR_FRAME();                                                                                                  \
        int fd = cspr_real_##name args;                                                                                \
        if (fd >= 0)                                                                                                   \
            cspr_fd_opened(fd, CSPR_STACK());                                                                          \
        return fd;                                                                                                     \
    }

// As OPENS, with an object of its own.
#define OPENS_OWN(name, params, args)                                                                                  \
    CSPR_INTERCEPTOR int name params                                                                                   \
    {                                                                                                                  \
        if (!is_checked())                                                                                             \
            return cspr_real_##name args;                                                                              \
        CSPR_FRAME();                                                                                                  \
        int fd = cspr_real_##name args;                                                                                \
        if (fd >= 0)                                                                                                   \
            cspr_fd_opened_pair(fd, -1, CSPR_STACK());                                                                 \
        return fd;                                                                                                     \
    }

// --- files
// -------------------------------------------------------------------------------------------------------------------

// The mode is there only when a file may be made.
#define OPENS_WITH_MODE(name, params, last, args)                                                                      \
    CSPR_INTERCEPTOR int name params                                                                                   \
    {                                                                                                                  \
        mode_t mode = 0;                                                                                               \
        if ((last) & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY))) {                                                         \
            va_list rest;                                                                                              \
            va_start(rest, last);                                                                                      \
            mode = va_arg(rest, mode_t);                                                                               \
            va_end(rest);                                                                                              \
        }                                                                                                              \
        if (!is_checked())                                                                                             \
            return cspr_real_##name args;                                                                              \
        CSPR_FRAME();                                                                                                  \
        int fd = cspr_real_##name args;                                                                                \
        if (fd >= 0)                                                                                                   \
            cspr_fd_opened(fd, CSPR_STACK());                                                                          \
        return fd;                                                                                                     \
    }
OPENS_WITH_MODE(open, (const char *path, int flags, ...), flags, (path, flags, mode))
OPENS_WITH_MODE(open64, (const char *path, int flags, ...), flags, (path, flags, mode))
OPENS_WITH_MODE(openat, (int dir, const char *path, int flags, ...), flags, (dir, path, flags, mode))
OPENS_WITH_MODE(openat64, (int dir, const char *path, int flags, ...), flags, (dir, path, flags, mode))
OPENS(creat, (const char *path, mode_t mode), (path, mode))
OPENS(creat64, (const char *path, mode_t mode), (path, mode))

// What _FORTIFY_SOURCE calls.
CSPR_INTERFACE int __open_2(const char *path, int flags);
CSPR_INTERFACE int __open64_2(const char *path, int flags);
CSPR_INTERFACE int __openat_2(int dir, const char *path, int flags);
CSPR_INTERFACE int __openat64_2(int dir, const char *path, int flags);
OPENS(__open_2, (const char *path, int flags), (path, flags))
OPENS(__open64_2, (const char *path, int flags), (path, flags))
OPENS(__openat_2, (int dir, const char *path, int flags), (dir, path, flags))
OPENS(__openat64_2, (int dir, const char *path, int flags), (dir, path, flags))

// --- copies
// ------------------------------------------------------------------------------------------------------------------

CSPR_INTERCEPTOR int dup(int from)
{
    if (!is_checked())
        return cspr_real_dup(from);
    CSPR_FRAME();
    int fd = cspr_real_dup(from);
    if (fd >= 0)
        cspr_fd_opened_copy(from, fd, false, CSPR_STACK());
    return fd;
}

// These close the target's old self in passing.
#define COPIES_ONTO(name, params, args)                                                                                \
    CSPR_INTERCEPTOR int name params                                                                                   \
    {                                                                                                                  \
        if (!is_checked())                                                                                             \
            return cspr_real_##name args;                                                                              \
        CSPR_FRAME();                                                                                                  \
        if (from != to)                                                                                                \
            cspr_fd_replacing(to, CSPR_STACK());                                                                       \
        int fd = cspr_real_##name args;                                                                                \
        if (fd >= 0)                                                                                                   \
            cspr_fd_opened_copy(from, fd, true, CSPR_STACK());                                                         \
        return fd;                                                                                                     \
    }
COPIES_ONTO(dup2, (int from, int to), (from, to))
COPIES_ONTO(dup3, (int from, int to, int flags), (from, to, flags))

// --- locks of files -----------------------------------------------------------------------------------------------------------
// Those of an open file (flock, F_OFD_SETLK) keep threads apart that have opened it each for themselves: unlocking -> locking, by
// the file's object, whatever the bytes. Those of the process (F_SETLK, lockf) do not, and give no order.

CSPR_INTERCEPTOR int flock(int fd, int operation)
{
    if (!is_checked())
        return cspr_real_flock(fd, operation);
    CSPR_FRAME();
    cspr_fd_used(fd, CSPR_STACK());
    int what = operation & ~LOCK_NB;
    if (what == LOCK_UN || what == LOCK_SH) // LOCK_SH may turn an exclusive one into a shared one
        cspr_fd_release(fd);
    int result = cspr_real_flock(fd, operation);
    if (result == 0 && what != LOCK_UN)
        cspr_fd_acquire(fd);
    return result;
}

static bool locks_open_file(int command)
{
    return command == F_OFD_SETLK || command == F_OFD_SETLKW;
}

static void before_control(int fd, int command, const struct flock *lock)
{
    if (locks_open_file(command) && lock->l_type != F_WRLCK)
        cspr_fd_release(fd);
}

static void after_control(int fd, int command, const struct flock *lock)
{
    if (locks_open_file(command) && lock->l_type != F_UNLCK)
        cspr_fd_acquire(fd);
}

// --- fcntl ----------------------------------------------------------------------------------------------------------------------

#define CONTROLS(name)                                                                                                 \
    CSPR_INTERCEPTOR int name(int fd, int command, ...)                                                                \
    {                                                                                                                  \
        va_list rest;                                                                                                  \
        va_start(rest, command);                                                                                       \
        void *arg = va_arg(rest, void *); /* or an int, or nothing: passed on as it came */                            \
        va_end(rest);                                                                                                  \
        if (!is_checked())                                                                                             \
            return cspr_real_##name(fd, command, arg);                                                                 \
        CSPR_FRAME();                                                                                                  \
        before_control(fd, command, arg);                                                                              \
        int result = cspr_real_##name(fd, command, arg);                                                               \
        if (result == 0)                                                                                               \
            after_control(fd, command, arg);                                                                           \
        if (result >= 0 && (command == F_DUPFD || command == F_DUPFD_CLOEXEC))                                         \
            cspr_fd_opened_copy(fd, result, false, CSPR_STACK());                                                      \
        return result;                                                                                                 \
    }
CONTROLS(fcntl)
CONTROLS(fcntl64)

// --- pairs
// -------------------------------------------------------------------------------------------------------------------

#define OPENS_PAIR(name, params, args)                                                                                 \
    CSPR_INTERCEPTOR int name params                                                                                   \
    {                                                                                                                  \
        if (!is_checked())                                                                                             \
            return cspr_real_##name args;                                                                              \
        CSPR_FRAME();                                                                                                  \
        int result = cspr_real_##name args;                                                                            \
        if (result == 0) {                                                                                             \
            cspr_fd_opened_pair(ends[0], ends[1], CSPR_STACK());                                                       \
            cspr_access((uintptr_t)ends, 2 * sizeof *ends, true, CSPR_STACK());                                        \
        }                                                                                                              \
        return result;                                                                                                 \
    }
OPENS_PAIR(pipe, (int *ends), (ends))
OPENS_PAIR(pipe2, (int *ends, int flags), (ends, flags))
OPENS_PAIR(socketpair, (int domain, int type, int protocol, int *ends), (domain, type, protocol, ends))

// --- sockets
// -----------------------------------------------------------------------------------------------------------------

OPENS(socket, (int domain, int type, int protocol), (domain, type, protocol))

#define ACCEPTS(name, params, args)                                                                                    \
    CSPR_INTERCEPTOR int name params                                                                                   \
    {                                                                                                                  \
        if (!is_checked())                                                                                             \
            return cspr_real_##name args;                                                                              \
        CSPR_FRAME();                                                                                                  \
        cspr_address_out from = cspr_address_out_of(address.__sockaddr__, size);                                       \
        cspr_fd_used(listener, CSPR_STACK());                                                                          \
        int fd = cspr_real_##name args;                                                                                \
        if (fd >= 0) {                                                                                                 \
            cspr_fd_acquire(listener);                                                                                 \
            cspr_fd_opened(fd, CSPR_STACK());                                                                          \
            cspr_address_out_written(&from, CSPR_STACK());                                                             \
        }                                                                                                              \
        return fd;                                                                                                     \
    }
ACCEPTS(accept, (int listener, __SOCKADDR_ARG address, socklen_t *size), (listener, address, size))
ACCEPTS(accept4, (int listener, __SOCKADDR_ARG address, socklen_t *size, int flags), (listener, address, size, flags))

// A connection that is still being made has been announced all the same.
CSPR_INTERCEPTOR int connect(int fd, __CONST_SOCKADDR_ARG address, socklen_t size)
{
    if (!is_checked())
        return cspr_real_connect(fd, address, size);
    CSPR_FRAME();
    cspr_fd_used(fd, CSPR_STACK());
    cspr_fd_release(fd);
    int result = cspr_real_connect(fd, address, size);
    if (result == 0)
        cspr_fd_acquire(fd);
    return result;
}

CSPR_INTERCEPTOR int listen(int fd, int backlog)
{
    if (is_checked()) {
        CSPR_FRAME();
        cspr_fd_used(fd, CSPR_STACK());
        cspr_fd_release(fd);
    }
    return cspr_real_listen(fd, backlog);
}

CSPR_INTERCEPTOR int shutdown(int fd, int how)
{
    if (is_checked()) {
        CSPR_FRAME();
        cspr_fd_used(fd, CSPR_STACK());
        cspr_fd_release(fd);
    }
    return cspr_real_shutdown(fd, how);
}

// --- events, timers
// ----------------------------------------------------------------------------------------------------------

OPENS_OWN(eventfd, (unsigned count, int flags), (count, flags))
OPENS_OWN(timerfd_create, (clockid_t clock, int flags), (clock, flags))
OPENS_OWN(epoll_create, (int size), (size))
OPENS_OWN(epoll_create1, (int flags), (flags))

CSPR_INTERCEPTOR int timerfd_settime(int fd, int flags, const struct itimerspec *value, struct itimerspec *old)
{
    if (is_checked()) {
        CSPR_FRAME();
        cspr_fd_used(fd, CSPR_STACK());
        cspr_fd_release(fd);
    }
    return cspr_real_timerfd_settime(fd, flags, value, old);
}

CSPR_INTERCEPTOR int epoll_ctl(int set, int operation, int fd, struct epoll_event *event)
{
    if (is_checked()) {
        CSPR_FRAME();
        cspr_fd_used(set, CSPR_STACK());
        cspr_fd_used(fd, CSPR_STACK());
        cspr_fd_release(set);
    }
    return cspr_real_epoll_ctl(set, operation, fd, event);
}

// What the descriptors in the set became ready by gives no order: reading from them does.
#define WAITS_FOR_EVENTS(name, params, args)                                                                           \
    CSPR_INTERCEPTOR int name params                                                                                   \
    {                                                                                                                  \
        if (!is_checked())                                                                                             \
            return cspr_real_##name args;                                                                              \
        CSPR_FRAME();                                                                                                  \
        cspr_fd_used(set, CSPR_STACK());                                                                               \
        int n = cspr_real_##name args;                                                                                 \
        if (n > 0) {                                                                                                   \
            cspr_fd_acquire(set);                                                                                      \
            cspr_access((uintptr_t)events, (size_t)n * sizeof *events, true, CSPR_STACK());                            \
        }                                                                                                              \
        return n;                                                                                                      \
    }
WAITS_FOR_EVENTS(epoll_wait, (int set, struct epoll_event *events, int max, int timeout), (set, events, max, timeout))
WAITS_FOR_EVENTS(epoll_pwait, (int set, struct epoll_event *events, int max, int timeout, const sigset_t *mask),
                 (set, events, max, timeout, mask))
WAITS_FOR_EVENTS(epoll_pwait2,
                 (int set, struct epoll_event *events, int max, const struct timespec *timeout, const sigset_t *mask),
                 (set, events, max, timeout, mask))

// --- the end
// -----------------------------------------------------------------------------------------------------------------

// Told before: afterwards the number may be another thread's. The runtime's own close wakes those who use the descriptor.
CSPR_INTERCEPTOR int close(int fd)
{
    if (is_checked()) {
        CSPR_FRAME();
        cspr_fd_closing(fd, cspr_pc_is_ours((uintptr_t)__builtin_return_address(0)) ? 0 : CSPR_STACK());
    }
    return cspr_real_close(fd);
}

// What the stream still had to write is libc's doing; only the number is our business.
CSPR_INTERCEPTOR int fclose(FILE *stream)
{
    if (is_checked() && stream) {
        CSPR_FRAME();
        int saved = errno, fd = fileno(stream); // -1: a stream without one
        errno = saved;
        cspr_fd_closing(fd, CSPR_STACK());
    }
    return cspr_real_fclose(stream);
}
