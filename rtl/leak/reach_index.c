// reach_index.c - which heap block an address is in: summaries over the bitmap of block starts.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The bitmap has a bit per 16 bytes; going back through it for the start of a block of a gigabyte is a million words. Level n
// has a bit for each word of level n-1 that is not zero, so the nearest start below costs a few words on the way up and down.
// Made anew for each check, over the areas where blocks ever started: nothing is kept up to date meanwhile.
#include "leak/reach.h"

#include <sys/mman.h>

enum { LEVELS = 7, BITS = CSPR_HEAP_SPACE_BITS - CSPR_HEAP_GRAIN_BITS };

struct cspr_reach_index {
    uint64_t *level[LEVELS]; // [0] is the bitmap itself
};

static size_t words_of(unsigned level)
{
    unsigned bits = 6 * (level + 1);
    return bits < BITS ? (size_t)1 << (BITS - bits) : 1;
}

static void *map(size_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

static void add_area(const uint64_t *words, size_t first, void *arg)
{
    cspr_reach_index *x = arg;
    for (size_t i = 0; i < 1u << (CSPR_HEAP_AREA_BITS - CSPR_HEAP_GRAIN_BITS - 6); i++) {
        size_t bit = first + i;
        if (!words[i])
            continue;
        for (unsigned n = 1; n < LEVELS; n++, bit /= 64)
            x->level[n][bit / 64] |= (uint64_t)1 << (bit % 64);
    }
}

cspr_reach_index *cspr_reach_index_new(void)
{
    cspr_reach_index *x = map(sizeof *x);
    if (!x)
        return NULL;
    x->level[0] = (uint64_t *)(uintptr_t)cspr_heap_starts();
    for (unsigned n = 1; n < LEVELS; n++)
        if (!(x->level[n] = map(words_of(n) * 8))) {
            cspr_reach_index_free(x);
            return NULL;
        }
    cspr_heap_each_area(add_area, x);
    return x;
}

void cspr_reach_index_free(cspr_reach_index *x)
{
    for (unsigned n = 1; n < LEVELS; n++)
        if (x->level[n])
            munmap(x->level[n], words_of(n) * 8);
    munmap(x, sizeof *x);
}

bool cspr_reach_index_find(const cspr_reach_index *x, uintptr_t addr, uintptr_t *start)
{
    size_t bit = (addr & (((uintptr_t)1 << CSPR_HEAP_SPACE_BITS) - 1)) >> CSPR_HEAP_GRAIN_BITS;
    uint64_t bits = x->level[0][bit / 64] & ~(uint64_t)0 >> (63 - bit % 64);
    unsigned n = 0;
    while (!bits) { // up, to the first level where something lies before
        bit /= 64;
        if (++n == LEVELS)
            return false;
        bits = x->level[n][bit / 64] & ~(~(uint64_t)0 << (bit % 64));
    }
    for (;;) { // down, to the last of it
        bit = bit / 64 * 64 + 63 - (size_t)__builtin_clzll(bits);
        if (n == 0)
            break;
        bits = x->level[--n][bit];
        if (!bits) // freed since the summaries were made, by a thread that could not be held; nothing else reaches so far
            return false;
        bit *= 64;
    }
    *start = bit << CSPR_HEAP_GRAIN_BITS;
    return true;
}
