// io.h - calls that wait for the outside world without holding up other coroutines.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// csp_read, csp_write, csp_accept, csp_connect and csp_poll are POSIX's, with these differences. The coroutine parks until the
// descriptor is ready, other coroutines run meanwhile, whether or not the descriptor is O_NONBLOCK: none fails with EAGAIN.
// None fails with EINTR. The timeouts of a socket (SO_RCVTIMEO, SO_SNDTIMEO) are not heeded. Descriptors are used as they are, their
// flags are never changed. What cannot be done without blocking a thread (regular files, connecting, some terminals)
// is done as by csp_blocking. In a pthread of the program they block that thread.
//
// Limits. The _until forms give up at an instant of csp_now(), the _ctx forms when ctx is cancelled (NULL: never): -1, errno
// ETIMEDOUT or ECANCELED (what csp_ctx_err says). What can be done at once is done, also when the limit has been reached before.
// A limit ends the waiting; an operation that blocks in the kernel (a regular file) is not interrupted.
//
// Order. What happened before a csp_write happens before the csp_read that may return its bytes, as with write and read.
#ifndef CSP_IO_H
#define CSP_IO_H

#include "context.h"
#include "site.h"

#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif
CSP_PUBLIC_BEGIN

// Calls fn(arg), which may block its OS thread or need much stack (8 MiB): foreign libraries, name look-up, file systems.
// It runs on the calling coroutine's behalf, while another worker takes over the coroutines that wait for this one; the
// caller goes on when it has returned, with the errno it left. Inside fn everything of this library may be called; what
// would park blocks the thread, as in a pthread of the program; csp_exit panics. A csp_blocking inside fn, or in a pthread
// of the program, is a plain call. No more than 1024 OS threads are made; further calls then hold up their worker.
// fn must return: neither longjmp, nor an exception, nor pthread_exit may leave it. (Go: any system call.)
CSP_SITE void csp_blocking(void (*fn)(void *), void *arg);

// Reads up to n bytes: what there is, at least one, 0 at the end. (net.Conn.Read)
CSP_SITE ssize_t csp_read(int fd, void *buf, size_t n);
CSP_SITE ssize_t csp_read_until(int fd, void *buf, size_t n, int64_t at);
CSP_SITE ssize_t csp_read_ctx(int fd, void *buf, size_t n, csp_ctx *ctx);

// Writes all n bytes, as write does where it blocks; fewer when an error or the limit comes after the first. (net.Conn.Write)
CSP_SITE ssize_t csp_write(int fd, const void *buf, size_t n);
CSP_SITE ssize_t csp_write_until(int fd, const void *buf, size_t n, int64_t at);
CSP_SITE ssize_t csp_write_ctx(int fd, const void *buf, size_t n, csp_ctx *ctx);

// The next connection, without O_NONBLOCK; address and size as accept's, may be NULL. A connection that was gone before it was
// taken is passed over. (net.Listener.Accept)
CSP_SITE int csp_accept(int fd, struct sockaddr *address, socklen_t *size);
CSP_SITE int csp_accept_until(int fd, struct sockaddr *address, socklen_t *size, int64_t at);
CSP_SITE int csp_accept_ctx(int fd, struct sockaddr *address, socklen_t *size, csp_ctx *ctx);

// Returns when the connection stands, or has failed, also on an O_NONBLOCK socket. A caller that gives up leaves the socket
// connecting: close it. (net.Dialer.DialContext)
CSP_SITE int csp_connect(int fd, const struct sockaddr *address, socklen_t size);
CSP_SITE int csp_connect_until(int fd, const struct sockaddr *address, socklen_t size, int64_t at);
CSP_SITE int csp_connect_ctx(int fd, const struct sockaddr *address, socklen_t size, csp_ctx *ctx);

// As poll: how many entries have events, 0 after timeout_ms (-1: never).
CSP_SITE int csp_poll(struct pollfd *fds, nfds_t n, int timeout_ms);
CSP_SITE int csp_poll_until(struct pollfd *fds, nfds_t n, int64_t at);
CSP_SITE int csp_poll_ctx(struct pollfd *fds, nfds_t n, csp_ctx *ctx);

// close, for a descriptor that coroutines may be parked on: their calls fail with EBADF. A plain close leaves them parked
// until the number is used again (they are told EBADF then). Does not park. (net.Conn.Close)
int csp_close_fd(int fd);

CSP_PUBLIC_END
#ifdef __cplusplus
}
#endif

#endif
