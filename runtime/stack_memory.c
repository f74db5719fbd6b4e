// stack_memory.c - what stacks ask of the kernel: mappings, guards, pages before they are touched, pages back; many at once.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// process_madvise takes a list of ranges, so that sixty stacks cost one system call. On itself a process may use it for any
// advice since Linux 6.13, where guards came too. Where the kernel refuses the list, each range goes by madvise.
// Measured for a million stacks: guards 0.2 s (one by one 0.33), first pages 1.3 s (by page faults 1.65).
#include "stack_memory.h"

#include "base/atomic.h"
#include "hooks.h"
#include "panic.h"
#include "stack.h"

#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
#define PIDFD_SELF_PROCESS (-10001) // Linux 6.14: no descriptor needed

// What this kernel was found not to do. Atomic, relaxed: each only ever goes from false to true, and late is as good.
static bool no_install, no_guards, no_lists, no_populate;

void *cspi_memory_map(size_t size)
{
    CSP_HOOK(ignore_begin);
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (p != MAP_FAILED)
        madvise(p, size, MADV_NOHUGEPAGE); // a huge page would commit 24 stacks at once
    CSP_HOOK(ignore_end);
    return p == MAP_FAILED ? NULL : p;
}

// How many of the ranges were done by one call.
static unsigned advise_list(const struct iovec *ranges, unsigned n, int advice)
{
    if (n < 2 || csp_load_rlx(&no_lists))
        return 0;
    long bytes = syscall(SYS_process_madvise, PIDFD_SELF_PROCESS, ranges, (unsigned long)n, advice, 0);
    if (bytes < 0 && errno != EINTR && errno != EAGAIN)
        csp_store_rlx(&no_lists, true);
    return bytes > 0 ? (unsigned)((size_t)bytes / ranges[0].iov_len) : 0;
}

// How many of the ranges, all of one size, were done.
static unsigned advise(char *const *at, unsigned n, size_t offset, size_t size, int advice)
{
    int saved = errno;
    unsigned done = 0;
    CSP_HOOK(ignore_begin);
    while (done < n) {
        struct iovec ranges[CSPI_MEMORY_BATCH];
        unsigned k = 0;
        for (; k < CSPI_MEMORY_BATCH && done + k < n; k++)
            ranges[k] = (struct iovec){at[done + k] + offset, size};
        unsigned by_list = advise_list(ranges, k, advice);
        done += by_list;
        if (by_list == k)
            continue;
        if (madvise(at[done] + offset, size, advice) != 0)
            break;
        done++;
    }
    CSP_HOOK(ignore_end);
    errno = saved;
    return done;
}

static bool protect(char *at, size_t size)
{
    int saved = errno;
    CSP_HOOK(ignore_begin);
    bool done = mprotect(at, size, PROT_NONE) == 0;
    CSP_HOOK(ignore_end);
    errno = saved;
    return done;
}

void cspi_memory_guard(char *const *at, unsigned n, size_t size)
{
    unsigned done = 0;
    if (!csp_load_rlx(&no_install) && (done = advise(at, n, 0, size, MADV_GUARD_INSTALL)) < n)
        csp_store_rlx(&no_install, true);
    for (; done < n && !csp_load_rlx(&no_guards); done++) {
        if (protect(at[done], size))
            continue;
        csp_store_rlx(&no_guards, true);
        cspi_say("cspthread: the kernel allows no more guard pages (vm.max_map_count); further stacks have none\n");
    }
}

void cspi_memory_populate(char *const *at, unsigned n, size_t offset, size_t size)
{
    if (!csp_load_rlx(&no_populate) && advise(at, n, offset, size, MADV_POPULATE_WRITE) == 0)
        csp_store_rlx(&no_populate, true);
}

void cspi_memory_give_back(char *const *at, unsigned n, size_t size)
{
    advise(at, n, 0, size, MADV_DONTNEED);
}

void cspi_stack_no_guard_install_for_test(void)
{
    csp_store_rlx(&no_install, true);
}
