// reach.h - what memory can still be reached, as a garbage collector sees it: conservatively, from given roots.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Memory comes as *blocks* (the program's heap: a word with an address inside one reaches all of it), *areas* (stacks of
// coroutines that do not run, the program's own mappings: likewise) and *roots* (read without anything pointing to them).
// Every aligned word that is an address inside a block or area reaches it, whatever its type: too much may be found, never too
// little, unless the program hides its pointers. The caller sees to it that nothing it adds changes meanwhile.
//
// Who can wake whom needs no rules of its own. An object's queue leads to its waiters, which lie on the stacks of those who
// are parked; so a coroutine that waits on something reached is reached, and what is on its stack with it. The runtime's other
// lists are in variables that are no roots (csp_data, csp_bss, see prelink.sh), and a coroutine's descriptor, which links them,
// is no part of its area.
#ifndef CSP_RTL_REACH_H
#define CSP_RTL_REACH_H

#include "rtl.h"
#include "shadow/heap.h"

typedef struct cspr_reach cspr_reach;

// NULL: no memory. Large, but committed as it is used.
cspr_reach *cspr_reach_new(void);
void cspr_reach_free(cspr_reach *r);
// From here on memory stands still: looks at what there is. False: no memory, or the kernel does not say. No lock, no malloc.
bool cspr_reach_ready(cspr_reach *r);

// First the areas, all of them, which do not overlap; each has a number. Then done, then roots.
uint32_t cspr_reach_add_area(cspr_reach *r, uintptr_t lo, uintptr_t hi);
void cspr_reach_areas_done(cspr_reach *r);

void cspr_reach_add_mapping(uintptr_t lo, uintptr_t hi, void *reach); // likewise, as a callback

// Reads [lo, hi), or reads the area, and follows what is found to the end.
void cspr_reach_root(cspr_reach *r, uintptr_t lo, uintptr_t hi);
void cspr_reach_area(cspr_reach *r, uint32_t area);
// As a root, at most a page: a copy that the kernel makes, so it may be anywhere. False: it cannot be read.
bool cspr_reach_copied(cspr_reach *r, uintptr_t lo, size_t n);
// Reads from lo up to the first page that cannot be read, guards of stacks included.
void cspr_reach_root_upward(cspr_reach *r, uintptr_t lo);
// Follows one address.
void cspr_reach_pointer(cspr_reach *r, uintptr_t p);

bool cspr_reach_has_area(const cspr_reach *r, uint32_t area);
bool cspr_reach_has_block(const cspr_reach *r, uintptr_t start);
// Bytes of all blocks reached so far.
size_t cspr_reach_bytes(const cspr_reach *r);
// Blocks that were not reached, ascending.
void cspr_reach_each_other(cspr_reach *r, void (*fn)(const cspr_block *block, void *arg), void *arg);
// Which blocks lead to which of those: begin (false: no memory), then for each block its pointers to others.
bool cspr_reach_note_begin(cspr_reach *r);
void cspr_reach_note_pointers(cspr_reach *r, const cspr_block *b);
bool cspr_reach_is_pointed_to(const cspr_reach *r, uintptr_t start);

// reach_memory.c: what of the address space may be read, from /proc/self/maps.
typedef struct cspr_range {
    uintptr_t lo, hi;
} cspr_range;
typedef struct cspr_ranges {
    cspr_range *list; // ascending, not touching
    size_t n;
} cspr_ranges;
bool cspr_ranges_read(cspr_ranges *readable); // readable and writable memory; false: the kernel does not say
void cspr_ranges_fini(cspr_ranges *r);
// The range that addr is in, or the first one above; r->n: none.
size_t cspr_ranges_find(const cspr_ranges *r, uintptr_t addr);

// reach_roots.c: variables of all modules but ours, and all threads' thread-locals.
bool cspr_reach_variables(cspr_reach *r); // false: the system does not tell which there are
void cspr_reach_thread_locals(cspr_reach *r);
const cspr_ranges *cspr_reach_readable(const cspr_reach *r);

// reach_index.c: which block an address is in.
typedef struct cspr_reach_index cspr_reach_index;
cspr_reach_index *cspr_reach_index_new(void); // NULL: no memory
void cspr_reach_index_free(cspr_reach_index *x);
// The highest start at or below addr, as the low bits that the bitmap knows; false: none.
bool cspr_reach_index_find(const cspr_reach_index *x, uintptr_t addr, uintptr_t *start);

#endif
