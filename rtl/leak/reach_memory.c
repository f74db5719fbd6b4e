// reach_memory.c - what of the address space may be read, from /proc/self/maps.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "leak/reach.h"
#include "support/print.h"

#include <string.h>

static void add(cspr_ranges *r, uintptr_t lo, uintptr_t hi)
{
    if (r->n && r->list[r->n - 1].hi == lo) {
        r->list[r->n - 1].hi = hi;
        return;
    }
    if (r->n == r->cap) {
        size_t cap = r->cap ? 2 * r->cap : 256;
        cspr_range *bigger = cspr_map(cap * sizeof *bigger);
        for (size_t i = 0; i < r->n; i++)
            bigger[i] = r->list[i];
        cspr_ranges_fini(r);
        r->list = bigger;
        r->cap = cap;
    }
    r->list[r->n++] = (cspr_range){lo, hi};
}

// Lines "lo-hi perms offset dev inode   path". Devices are left alone: reading them may do something. So is the shadow, whose
// addresses are those of all else but for the high bits.
bool cspr_ranges_read(cspr_ranges *readable)
{
    size_t len, map_size;
    char *text = cspr_read_file("/proc/self/maps", &len, &map_size);
    if (!text)
        return false;
    for (const char *line = text, *end; line < text + len && (end = strchr(line, '\n')); line = end + 1) {
        const char *p = line;
        uintptr_t lo = cspr_read_hex(&p);
        p++;
        uintptr_t hi = cspr_read_hex(&p);
        const char *path = memchr(p, '/', (size_t)(end - p));
        bool is_device = path && !strncmp(path, "/dev/", 5) && strncmp(path, "/dev/shm/", 9) != 0 &&
                         strncmp(path, "/dev/zero", 9) != 0;
        bool is_shadow = lo >= CSPR_SHADOW_BASE && hi <= CSPR_SHADOW_BASE + CSPR_SHADOW_SIZE;
        if (p[1] == 'r' && p[2] == 'w' && !is_device && !is_shadow)
            add(readable, lo, hi);
    }
    cspr_unmap(text, map_size);
    return true;
}

void cspr_ranges_fini(cspr_ranges *r)
{
    if (r->list)
        cspr_unmap(r->list, r->cap * sizeof *r->list);
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
