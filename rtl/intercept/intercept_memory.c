// intercept_memory.c - mappings the program makes and drops: a new one has no history.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The kernel hands an address that one thread unmapped to another one's mmap, and no order is needed between the two. The
// system calls are made here rather than through libc's functions, since rtl itself maps memory before those can be found.
#include "leak/mapped.h"
#include "support/libc.h"

#include <stdarg.h>
#include <sys/mman.h>
#include <sys/shm.h>
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

// What stays in its place keeps its history.
static void forget_moved(char *from, size_t old_size, char *to, size_t size)
{
    if (to == from && size > old_size)
        forget(to + old_size, size - old_size);
    if (to == from)
        return;
    forget(to, size);
    // Somebody may have it again by now, whose first accesses are forgotten with the rest: that it moves is known too late.
    forget(from, size < old_size ? size : old_size);
}

CSPR_INTERCEPTOR void *mremap(void *address, size_t old_size, size_t size, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    void *fixed = flags & MREMAP_FIXED ? va_arg(args, void *) : NULL;
    va_end(args);
    if (is_checked() && size < old_size) // before it is unmapped, as above
        forget((char *)address + size, old_size - size);
    void *p = (void *)syscall(SYS_mremap, address, old_size, size, flags, fixed);
    if (p == MAP_FAILED || !is_checked())
        return p;
    forget_moved(address, old_size, p, size);
    cspr_mapped_drop(address, old_size);
    cspr_mapped_add(p, size);
    return p;
}

CSPR_INTERCEPTOR void *shmat(int id, const void *address, int flags)
{
    struct shmid_ds segment;
    void *p = (void *)syscall(SYS_shmat, id, address, flags);
    if (p != (void *)-1 && is_checked() && syscall(SYS_shmctl, id, IPC_STAT, &segment) == 0)
        forget(p, segment.shm_segsz);
    return p;
}
