// reach_memory.c - what of the address space may be read, from /proc/self/maps.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Nothing is mapped or unmapped between the reading of the list and its use: a mapping of ours that is gone by then would be in it,
// and might lie where the program has, or had, something to look at. So there is room for all ranges from the start, and the text
// is read piece by piece.
#include "leak/reach.h"
#include "support/alloc.h"
#include "support/print.h"

#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MAX_RANGES = 1 << 20 };

static bool add(cspr_ranges *r, uintptr_t lo, uintptr_t hi)
{
    if (r->n && r->list[r->n - 1].hi == lo) {
        r->list[r->n - 1].hi = hi;
        return true;
    }
    if (r->n == MAX_RANGES)
        return false;
    r->list[r->n++] = (cspr_range){lo, hi};
    return true;
}

// "lo-hi perms offset dev inode   path". Devices are left alone: reading them may do something. So is the shadow, whose addresses
// are those of all else but for the high bits.
static bool add_line(cspr_ranges *r, const char *p, const char *end)
{
    uintptr_t lo = cspr_read_hex(&p);
    p++;
    uintptr_t hi = cspr_read_hex(&p);
    const char *path = memchr(p, '/', (size_t)(end - p));
    bool is_device =
        path && !strncmp(path, "/dev/", 5) && strncmp(path, "/dev/shm/", 9) != 0 && strncmp(path, "/dev/zero", 9) != 0;
    bool is_shadow = lo >= CSPR_SHADOW_BASE && hi <= CSPR_SHADOW_BASE + CSPR_SHADOW_SIZE;
    return p[1] != 'r' || p[2] != 'w' || is_device || is_shadow || add(r, lo, hi);
}

static bool read_lines(cspr_ranges *r, int fd)
{
    static char text[16384]; // under the report lock; a line is shorter
    size_t n = 0;
    for (long got; (got = syscall(SYS_read, fd, text + n, sizeof text - n)) > 0;) {
        n += (size_t)got;
        char *line = text;
        for (char *end; (end = memchr(line, '\n', n - (size_t)(line - text))); line = end + 1) {
            *end = '\0';
            if (!add_line(r, line, end))
                return false;
        }
        n -= (size_t)(line - text);
        memmove(text, line, n);
    }
    return r->n > 0;
}

bool cspr_ranges_read(cspr_ranges *readable)
{
    readable->list = cspr_reserve(MAX_RANGES * sizeof *readable->list);
    int fd = (int)syscall(SYS_openat, AT_FDCWD, "/proc/self/maps", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool all = read_lines(readable, fd);
    syscall(SYS_close, fd);
    return all;
}

void cspr_ranges_fini(cspr_ranges *r)
{
    if (r->list)
        cspr_unmap(r->list, MAX_RANGES * sizeof *r->list);
}

size_t cspr_ranges_find(const cspr_ranges *r, uintptr_t addr)
{
    size_t lo = 0, hi = r->n;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (r->list[mid].hi <= addr)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}
