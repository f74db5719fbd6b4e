// mapped.c - mappings the program itself has made: a list, in no order, of ranges that do not overlap.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Programs make few, or their allocators merge; one that makes tens of thousands pays for the walk with each, and beyond
// MAX_RANGES the list forgets: the leak check then looks at less, which it says (reach.h: nobody is called stuck).
#include "leak/mapped.h"
#include "leak/reach.h"
#include "support/alloc.h"
#include "support/lock.h"

enum { MAX_RANGES = 65536 };

static cspr_lock lock;
static cspr_range *ranges; // under lock, as the rest
static size_t n_ranges;
bool cspr_mapped_incomplete;

static void append(uintptr_t lo, uintptr_t hi)
{
    if (lo >= hi)
        return;
    if (n_ranges == MAX_RANGES) {
        cspr_mapped_incomplete = true;
        return;
    }
    ranges[n_ranges++] = (cspr_range){lo, hi};
}

static void cut(uintptr_t lo, uintptr_t hi)
{
    for (size_t i = n_ranges; i-- > 0;) {
        cspr_range r = ranges[i];
        if (r.hi <= lo || r.lo >= hi)
            continue;
        ranges[i] = ranges[--n_ranges];
        append(r.lo, r.lo < lo ? lo : r.lo);
        append(r.hi > hi ? hi : r.hi, r.hi);
    }
}

void cspr_mapped_add(const void *start, size_t size)
{
    uintptr_t lo = (uintptr_t)start, hi = (lo + size + 4095) & ~(uintptr_t)4095;
    cspr_enter(); // what we map ourselves is not the program's
    cspr_lock_acquire(&lock);
    if (!ranges)
        ranges = cspr_reserve(MAX_RANGES * sizeof *ranges);
    cut(lo, hi);
    append(lo, hi);
    cspr_lock_release(&lock);
    cspr_leave();
}

void cspr_mapped_drop(const void *start, size_t size)
{
    uintptr_t lo = (uintptr_t)start, hi = (lo + size + 4095) & ~(uintptr_t)4095;
    cspr_enter();
    cspr_lock_acquire(&lock);
    cut(lo, hi);
    cspr_lock_release(&lock);
    cspr_leave();
}

void cspr_mapped_each(void (*fn)(uintptr_t lo, uintptr_t hi, void *arg), void *arg)
{
    for (size_t i = 0; i < n_ranges; i++)
        fn(ranges[i].lo, ranges[i].hi, arg);
}
