// intercept_memory.c - mappings the program makes and drops: a new one has no history.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The kernel hands an address that one thread unmapped to another one's mmap, and no order is needed between the two. The
// system calls are made here rather than through libc's functions, since rtl itself maps memory before those can be found.
#include "libc.h"
#include "mapped.h"

#include <stdarg.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool is_checked(void)
{
    return cspr_ready && !cspr_bypass();
}

static void forget(const void *start, size_t size)
{
    cspr_shadow_forget((uintptr_t)start, (uintptr_t)start + size);
}

static void *map(void *address, size_t size, int protection, int flags, int fd, off_t offset)
{
    void *p = (void *)syscall(SYS_mmap, address, size, protection, flags, fd, offset);
    if (p != MAP_FAILED && is_checked()) {
        forget(p, size); // what MAP_FIXED replaced, or what was left of an earlier owner
        cspr_mapped_add(p, size);
    }
    return p;
}

CSPR_INTERCEPTOR void *mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset)
{
    return map(address, size, protection, flags, fd, offset);
}

CSPR_INTERCEPTOR void *mmap64(void *address, size_t size, int protection, int flags, int fd, off64_t offset)
{
    return map(address, size, protection, flags, fd, offset);
}

// Forgotten before it is unmapped: afterwards it may be somebody else's.
CSPR_INTERCEPTOR int munmap(void *address, size_t size)
{
    if (is_checked()) {
        forget(address, size);
        cspr_mapped_drop(address, size);
    }
    return (int)syscall(SYS_munmap, address, size);
}

CSPR_INTERCEPTOR void *mremap(void *address, size_t old_size, size_t size, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    void *fixed = flags & MREMAP_FIXED ? va_arg(args, void *) : NULL;
    va_end(args);
    if (is_checked())
        forget(address, old_size);
    void *p = (void *)syscall(SYS_mremap, address, old_size, size, flags, fixed);
    if (p != MAP_FAILED && is_checked()) {
        forget(p, size);
        cspr_mapped_drop(address, old_size);
        cspr_mapped_add(p, size);
    }
    return p;
}
