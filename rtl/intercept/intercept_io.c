// intercept_io.c - bytes through file descriptors: the order they give, and the buffers they come from and go to.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Edge: write(fd) -> read(fd) of the same object (fd.h); nothing by a failed call, nor by poll and select.
// A buffer that is read into is checked after the call, for what was really written. One that is written from must be
// checked before it: the release ends the epoch, and whoever gets the bytes may use the buffer again at once. So it is
// checked whole, also where the kernel takes only a part: the caller could not know which. The real function runs
// outside the detector: it blocks, is cancelled, is interrupted by the program's signal handlers.
#include "intercept/io.h"
#include "support/libc.h"
#include "sync/fd.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

// rtl itself reads its options, and writes about them, before it knows libc's functions.
static bool is_checked(void)
{
    if (!cspr_ready && !cspr_real_read)
        cspr_intercept_init();
    return cspr_ready && !cspr_bypass();
}

// --- buffers
// -----------------------------------------------------------------------------------------------------------------

enum { KERNEL_MOST = 0x7ffff000 }; // bytes one call moves at most
#define ADDRESSES (1ull << 47)     // no application address is as high

static void check(const void *p, size_t size, bool is_write, cspr_stack stack)
{
    size = size < KERNEL_MOST ? size : KERNEL_MOST;
    if (size && p && (uintptr_t)p < ADDRESSES - size)
        cspr_access((uintptr_t)p, size, is_write, stack);
}

// Before a call: a small range that is not there would be recorded in vain, a large one would cost its shadow. MS_ASYNC
// does nothing but look for holes.
static void check_given(const void *p, size_t size, cspr_stack stack)
{
    enum { LARGE = 1 << 16 };
    uintptr_t page = (uintptr_t)p & ~(uintptr_t)4095;
    int saved = errno;
    bool is_there =
        size < LARGE || (size < ADDRESSES && syscall(SYS_msync, page, (uintptr_t)p + size - page, MS_ASYNC) == 0);
    errno = saved;
    if (is_there)
        check(p, size, false, stack);
}

bool cspr_copy_safely(void *to, const void *from, size_t size)
{
    struct iovec here = {to, size}, there = {(void *)(uintptr_t)from, size};
    int saved = errno;
    bool copied = from && syscall(SYS_process_vm_readv, getpid(), &here, 1ul, &there, 1ul, 0ul) == (long)size;
    errno = saved;
    return copied;
}

cspr_address_out cspr_address_out_of(struct sockaddr *address, socklen_t *size)
{
    cspr_address_out a = {address, size, 0};
    if (!address || !cspr_copy_safely(&a.room, size, sizeof a.room))
        a.address = NULL;
    return a;
}

void cspr_address_out_written(const cspr_address_out *a, cspr_stack stack)
{
    if (!a->address)
        return;
    check(a->size, sizeof *a->size, true, stack);
    check(a->address, *a->size < a->room ? *a->size : a->room, true, stack);
}

// A call that wrote `result` bytes into a buffer of `size`; with MSG_TRUNC it tells more than it wrote.
static void took(int fd, const void *buffer, size_t size, ssize_t result, cspr_stack stack)
{
    if (result < 0) {
        if (errno == EBADF)
            cspr_fd_was_bad(fd, stack);
        return;
    }
    cspr_fd_acquire(fd);
    check(buffer, (size_t)result < size ? (size_t)result : size, true, stack);
}

static void gives(int fd, const void *buffer, size_t size, cspr_stack stack)
{
    cspr_fd_used(fd, stack);
    check_given(buffer, size, stack);
    cspr_fd_release(fd);
}

static ssize_t gave(int fd, ssize_t result, cspr_stack stack)
{
    if (result < 0 && errno == EBADF)
        cspr_fd_was_bad(fd, stack);
    return result;
}

// The call succeeded, so the vector can be read.
static void check_vector_taken(const struct iovec *vector, size_t n, size_t bytes, cspr_stack stack)
{
    check(vector, n * sizeof *vector, false, stack);
    for (size_t i = 0; i < n && bytes; i++) {
        size_t part = vector[i].iov_len < bytes ? vector[i].iov_len : bytes;
        check(vector[i].iov_base, part, true, stack);
        bytes -= part;
    }
}

static void check_vector_given(const struct iovec *vector, size_t n, cspr_stack stack)
{
    enum { BATCH = 16 };
    struct iovec part[BATCH];
    for (size_t at = 0; at < n && n <= IOV_MAX; at += BATCH) {
        size_t k = n - at < BATCH ? n - at : BATCH;
        if (!cspr_copy_safely(part, vector + at, k * sizeof *part))
            return;
        check(vector + at, k * sizeof *part, false, stack);
        for (size_t i = 0; i < k; i++)
            check_given(part[i].iov_base, part[i].iov_len, stack);
    }
}

// --- one buffer
// --------------------------------------------------------------------------------------------------------------

#define TAKES(name, params, args)                                                                                      \
    CSPR_INTERCEPTOR ssize_t name params                                                                               \
    {                                                                                                                  \
        if (!is_checked())                                                                                             \
            return cspr_real_##name args;                                                                              \
        CSPR_FRAME();                                                                                                  \
        cspr_fd_used(fd, CSPR_STACK());                                                                                \
        ssize_t result = cspr_real_##name args;                                                                        \
        took(fd, buffer, n, result, CSPR_STACK());                                                                     \
        return result;                                                                                                 \
    }

#define GIVES(name, params, args)                                                                                      \
    CSPR_INTERCEPTOR ssize_t name params                                                                               \
    {                                                                                                                  \
        if (!is_checked())                                                                                             \
            return cspr_real_##name args;                                                                              \
        CSPR_FRAME();                                                                                                  \
        gives(fd, buffer, n, CSPR_STACK());                                                                            \
        return gave(fd, cspr_real_##name args, CSPR_STACK());                                                          \
    }

// What _FORTIFY_SOURCE calls; the room is checked by the real ones.
CSPR_INTERFACE ssize_t __read_chk(int fd, void *buffer, size_t n, size_t room);
CSPR_INTERFACE ssize_t __pread_chk(int fd, void *buffer, size_t n, off_t at, size_t room);
CSPR_INTERFACE ssize_t __pread64_chk(int fd, void *buffer, size_t n, off64_t at, size_t room);
CSPR_INTERFACE ssize_t __recv_chk(int fd, void *buffer, size_t n, size_t room, int flags);

TAKES(read, (int fd, void *buffer, size_t n), (fd, buffer, n))
TAKES(__read_chk, (int fd, void *buffer, size_t n, size_t room), (fd, buffer, n, room))
TAKES(pread, (int fd, void *buffer, size_t n, off_t at), (fd, buffer, n, at))
TAKES(__pread_chk, (int fd, void *buffer, size_t n, off_t at, size_t room), (fd, buffer, n, at, room))
TAKES(pread64, (int fd, void *buffer, size_t n, off64_t at), (fd, buffer, n, at))
TAKES(__pread64_chk, (int fd, void *buffer, size_t n, off64_t at, size_t room), (fd, buffer, n, at, room))
TAKES(recv, (int fd, void *buffer, size_t n, int flags), (fd, buffer, n, flags))
TAKES(__recv_chk, (int fd, void *buffer, size_t n, size_t room, int flags), (fd, buffer, n, room, flags))

GIVES(write, (int fd, const void *buffer, size_t n), (fd, buffer, n))
GIVES(pwrite, (int fd, const void *buffer, size_t n, off_t at), (fd, buffer, n, at))
GIVES(pwrite64, (int fd, const void *buffer, size_t n, off64_t at), (fd, buffer, n, at))
GIVES(send, (int fd, const void *buffer, size_t n, int flags), (fd, buffer, n, flags))

// libc's own read and write the descriptor past us.
CSPR_INTERCEPTOR int eventfd_read(int fd, eventfd_t *value)
{
    if (!is_checked())
        return cspr_real_eventfd_read(fd, value);
    CSPR_FRAME();
    cspr_fd_used(fd, CSPR_STACK());
    int result = cspr_real_eventfd_read(fd, value);
    took(fd, value, sizeof *value, result == 0 ? (ssize_t)sizeof *value : -1, CSPR_STACK());
    return result;
}

CSPR_INTERCEPTOR int eventfd_write(int fd, eventfd_t value)
{
    if (is_checked()) {
        CSPR_FRAME();
        cspr_fd_used(fd, CSPR_STACK());
        cspr_fd_release(fd);
    }
    return cspr_real_eventfd_write(fd, value);
}

// --- a buffer and an address
// -------------------------------------------------------------------------------------------------

#define TAKES_FROM(name, params, args)                                                                                 \
    CSPR_INTERCEPTOR ssize_t name params                                                                               \
    {                                                                                                                  \
        if (!is_checked())                                                                                             \
            return cspr_real_##name args;                                                                              \
        CSPR_FRAME();                                                                                                  \
        cspr_address_out from = cspr_address_out_of(address.__sockaddr__, size);                                       \
        cspr_fd_used(fd, CSPR_STACK());                                                                                \
        ssize_t result = cspr_real_##name args;                                                                        \
        took(fd, buffer, n, result, CSPR_STACK());                                                                     \
        if (result >= 0)                                                                                               \
            cspr_address_out_written(&from, CSPR_STACK());                                                             \
        return result;                                                                                                 \
    }
CSPR_INTERFACE ssize_t __recvfrom_chk(int fd, void *buffer, size_t n, size_t room, int flags, __SOCKADDR_ARG address,
                                      socklen_t *size);
TAKES_FROM(recvfrom, (int fd, void *buffer, size_t n, int flags, __SOCKADDR_ARG address, socklen_t *size),
           (fd, buffer, n, flags, address, size))
TAKES_FROM(__recvfrom_chk,
           (int fd, void *buffer, size_t n, size_t room, int flags, __SOCKADDR_ARG address, socklen_t *size),
           (fd, buffer, n, room, flags, address, size))

CSPR_INTERCEPTOR ssize_t sendto(int fd, const void *buffer, size_t n, int flags, __CONST_SOCKADDR_ARG address,
                                socklen_t size)
{
    if (is_checked()) {
        CSPR_FRAME();
        check(address.__sockaddr__, size, false, CSPR_STACK());
        gives(fd, buffer, n, CSPR_STACK());
    }
    return cspr_real_sendto(fd, buffer, n, flags, address, size);
}

// --- vectors
// -----------------------------------------------------------------------------------------------------------------

#define TAKES_VECTOR(name, params, args)                                                                               \
    CSPR_INTERCEPTOR ssize_t name params                                                                               \
    {                                                                                                                  \
        if (!is_checked())                                                                                             \
            return cspr_real_##name args;                                                                              \
        CSPR_FRAME();                                                                                                  \
        cspr_fd_used(fd, CSPR_STACK());                                                                                \
        ssize_t result = cspr_real_##name args;                                                                        \
        if (result >= 0) {                                                                                             \
            cspr_fd_acquire(fd);                                                                                       \
            check_vector_taken(vector, (size_t)n, (size_t)result, CSPR_STACK());                                       \
        }                                                                                                              \
        return result;                                                                                                 \
    }
TAKES_VECTOR(readv, (int fd, const struct iovec *vector, int n), (fd, vector, n))
TAKES_VECTOR(preadv, (int fd, const struct iovec *vector, int n, off_t at), (fd, vector, n, at))
TAKES_VECTOR(preadv64, (int fd, const struct iovec *vector, int n, off64_t at), (fd, vector, n, at))
TAKES_VECTOR(preadv2, (int fd, const struct iovec *vector, int n, off_t at, int flags), (fd, vector, n, at, flags))
TAKES_VECTOR(preadv64v2, (int fd, const struct iovec *vector, int n, off64_t at, int flags), (fd, vector, n, at, flags))

#define GIVES_VECTOR(name, params, args)                                                                               \
    CSPR_INTERCEPTOR ssize_t name params                                                                               \
    {                                                                                                                  \
        if (is_checked()) {                                                                                            \
            CSPR_FRAME();                                                                                              \
            cspr_fd_used(fd, CSPR_STACK());                                                                            \
            check_vector_given(vector, (size_t)n, CSPR_STACK());                                                       \
            cspr_fd_release(fd);                                                                                       \
        }                                                                                                              \
        return cspr_real_##name args;                                                                                  \
    }
GIVES_VECTOR(writev, (int fd, const struct iovec *vector, int n), (fd, vector, n))
GIVES_VECTOR(pwritev, (int fd, const struct iovec *vector, int n, off_t at), (fd, vector, n, at))
GIVES_VECTOR(pwritev64, (int fd, const struct iovec *vector, int n, off64_t at), (fd, vector, n, at))
GIVES_VECTOR(pwritev2, (int fd, const struct iovec *vector, int n, off_t at, int flags), (fd, vector, n, at, flags))
GIVES_VECTOR(pwritev64v2, (int fd, const struct iovec *vector, int n, off64_t at, int flags),
             (fd, vector, n, at, flags))

// --- messages
// ----------------------------------------------------------------------------------------------------------------

// Descriptors that came with it are new ones here.
static void note_descriptors(struct msghdr *m, cspr_stack stack)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        for (size_t at = CMSG_LEN(0); at + sizeof(int) <= c->cmsg_len; at += sizeof(int)) {
            int fd;
            memcpy(&fd, (char *)c + at, sizeof fd);
            cspr_fd_opened(fd, stack);
        }
    }
}

// A received message; `before` is the header as it was passed, for the room there was.
static void check_message_taken(const struct msghdr *before, struct msghdr *m, size_t bytes, cspr_stack stack)
{
    check(m, sizeof *m, false, stack);
    check(&m->msg_namelen, sizeof m->msg_namelen, true, stack);
    check(&m->msg_controllen, sizeof m->msg_controllen + sizeof m->msg_flags, true, stack);
    check(m->msg_name, m->msg_namelen < before->msg_namelen ? m->msg_namelen : before->msg_namelen, true, stack);
    check(m->msg_control, m->msg_controllen, true, stack);
    check_vector_taken(m->msg_iov, m->msg_iovlen, bytes, stack);
    note_descriptors(m, stack);
}

static void check_message_given(const struct msghdr *m, cspr_stack stack)
{
    struct msghdr copy;
    if (!cspr_copy_safely(&copy, m, sizeof copy))
        return;
    check(m, sizeof *m, false, stack);
    check(copy.msg_name, copy.msg_namelen, false, stack);
    check_given(copy.msg_control, copy.msg_controllen, stack);
    check_vector_given(copy.msg_iov, copy.msg_iovlen, stack);
}

CSPR_INTERCEPTOR ssize_t recvmsg(int fd, struct msghdr *m, int flags)
{
    if (!is_checked())
        return cspr_real_recvmsg(fd, m, flags);
    CSPR_FRAME();
    struct msghdr before;
    cspr_fd_used(fd, CSPR_STACK());
    bool is_known = cspr_copy_safely(&before, m, sizeof before);
    ssize_t result = cspr_real_recvmsg(fd, m, flags);
    if (result >= 0)
        cspr_fd_acquire(fd);
    if (result >= 0 && is_known)
        check_message_taken(&before, m, (size_t)result, CSPR_STACK());
    return result;
}

CSPR_INTERCEPTOR ssize_t sendmsg(int fd, const struct msghdr *m, int flags)
{
    if (is_checked()) {
        CSPR_FRAME();
        cspr_fd_used(fd, CSPR_STACK());
        check_message_given(m, CSPR_STACK());
        cspr_fd_release(fd);
    }
    return cspr_real_sendmsg(fd, m, flags);
}

// Of the batch only the order and the bytes received: the headers are between the caller and the kernel.
CSPR_INTERCEPTOR int recvmmsg(int fd, struct mmsghdr *messages, unsigned n, int flags, struct timespec *timeout)
{
    if (!is_checked())
        return cspr_real_recvmmsg(fd, messages, n, flags, timeout);
    CSPR_FRAME();
    cspr_fd_used(fd, CSPR_STACK());
    int got = cspr_real_recvmmsg(fd, messages, n, flags, timeout);
    if (got > 0)
        cspr_fd_acquire(fd);
    for (int i = 0; i < got; i++) {
        struct msghdr *m = &messages[i].msg_hdr;
        check_vector_taken(m->msg_iov, m->msg_iovlen, messages[i].msg_len, CSPR_STACK());
        note_descriptors(m, CSPR_STACK());
    }
    return got;
}

CSPR_INTERCEPTOR int sendmmsg(int fd, struct mmsghdr *messages, unsigned n, int flags)
{
    if (is_checked()) {
        CSPR_FRAME();
        cspr_fd_used(fd, CSPR_STACK());
        for (unsigned i = 0; i < n && i < IOV_MAX; i++)
            check_message_given(&messages[i].msg_hdr, CSPR_STACK());
        cspr_fd_release(fd);
    }
    return cspr_real_sendmmsg(fd, messages, n, flags);
}

// --- from descriptor to descriptor
// -------------------------------------------------------------------------------------------

#define MOVES(name, params, args, in, out)                                                                             \
    CSPR_INTERCEPTOR ssize_t name params                                                                               \
    {                                                                                                                  \
        if (!is_checked())                                                                                             \
            return cspr_real_##name args;                                                                              \
        CSPR_FRAME();                                                                                                  \
        cspr_fd_used(in, CSPR_STACK());                                                                                \
        cspr_fd_used(out, CSPR_STACK());                                                                               \
        cspr_fd_release(out);                                                                                          \
        ssize_t result = cspr_real_##name args;                                                                        \
        if (result >= 0)                                                                                               \
            cspr_fd_acquire(in);                                                                                       \
        return result;                                                                                                 \
    }
MOVES(sendfile, (int out, int in, off_t *at, size_t n), (out, in, at, n), in, out)
MOVES(sendfile64, (int out, int in, off64_t *at, size_t n), (out, in, at, n), in, out)
MOVES(splice, (int in, off64_t *in_at, int out, off64_t *out_at, size_t n, unsigned flags),
      (in, in_at, out, out_at, n, flags), in, out)
MOVES(tee, (int in, int out, size_t n, unsigned flags), (in, out, n, flags), in, out)
MOVES(copy_file_range, (int in, off64_t *in_at, int out, off64_t *out_at, size_t n, unsigned flags),
      (in, in_at, out, out_at, n, flags), in, out)
