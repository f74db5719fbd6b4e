// intercept_stdio.c - streams: the buffers that callers hand over, and the order that passes through their descriptors.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A stream is a lock and a descriptor behind one: what a task puts into it happens before the read that may return it. The lock
// itself gives no order, as elsewhere in libc. Order is given when something is put in, which is before it is flushed.
#include "intercept/stdio_order.h"
#include "support/libc.h"
#include "sync/fd.h"

#include <errno.h>
#include <string.h>

static bool is_checked(void)
{
    return cspr_ready && !cspr_bypass();
}

static void check(const void *p, size_t n, bool is_write, cspr_stack stack)
{
    int saved = errno;
    if (p && n)
        cspr_access((uintptr_t)p, n, is_write, stack);
    errno = saved;
}

// A regular file or terminal that nobody reads in this process would only cost: its readers are others' processes.
void cspr_descriptor_gives(int fd)
{
    int saved = errno;
    if (fd > 2)
        cspr_fd_release(fd);
    errno = saved;
}

void cspr_stream_gives(FILE *f)
{
    if (f)
        cspr_descriptor_gives(fileno_unlocked(f));
}

void cspr_stream_took(FILE *f)
{
    int saved = errno, fd = f ? fileno_unlocked(f) : -1;
    if (fd >= 0)
        cspr_fd_acquire(fd);
    errno = saved;
}

#define R(p, n) check(p, n, false, CSPR_STACK())
#define W(p, n) check(p, n, true, CSPR_STACK())
#define RS(s) check(s, (s) ? strlen(s) + 1 : 0, false, CSPR_STACK())
#define WS(s) check(s, (s) ? strlen(s) + 1 : 0, true, CSPR_STACK())

#define STREAM(ret, name, params, args, before, after)                                                                 \
    CSPR_INTERCEPTOR ret name params                                                                                   \
    {                                                                                                                  \
        if (!is_checked()) {                                                                                           \
            if (!cspr_real_##name) /* a library's constructor that ran before us */                                    \
                cspr_intercept_init();                                                                                 \
            return cspr_real_##name args;                                                                              \
        }                                                                                                              \
        CSPR_FRAME();                                                                                                  \
        before;                                                                                                        \
        ret result = cspr_real_##name args;                                                                            \
        after;                                                                                                         \
        return result;                                                                                                 \
    }
#include "intercept/intercept_stdio.inc"
