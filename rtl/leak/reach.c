// reach.c - marking: from words to blocks and areas, until nothing new is found.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Invariants
//   I1 A marked block or area has been read, or lies on the stack of what is to be read. Each is put there once.
//   I2 Nothing is read that the kernel did not list as readable when the check began: a block of a page or more may have been
//      protected by the program in parts.
#include "leak/reach.h"

#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#define MARKS_BYTES ((size_t)1 << (CSPR_HEAP_SPACE_BITS - CSPR_HEAP_GRAIN_BITS - 3))
#define MAX_PENDING ((size_t)1 << 32)
#define SPACE_MASK (((uintptr_t)1 << CSPR_HEAP_SPACE_BITS) - 1)
#define PAGE 4096u
#define MAX_UPWARD ((uintptr_t)64 << 20)

typedef struct area {
    cspr_range range;
    uint32_t number;
    bool reached;
} area;

struct cspr_reach {
    cspr_reach_index *index;
    uint64_t *noted;     // likewise: a block that was not reached leads there
    uint64_t *marks;     // as the bitmap of starts: this one was reached
    cspr_range *pending; // to be read
    size_t n_pending;
    cspr_ranges readable;
    area *areas;      // by address once they are complete
    uint32_t *places; // where number i is
    size_t n_areas, cap_areas;
    size_t bytes;
};

// --- memory -----------------------------------------------------------------------------------------------------------------

static void *map(size_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

static void unmap(void *p, size_t bytes)
{
    if (p && bytes)
        munmap(p, bytes);
}

cspr_reach *cspr_reach_new(void)
{
    cspr_reach *r = map(sizeof *r);
    if (!r)
        return NULL;
    r->marks = map(MARKS_BYTES);
    r->pending = map(MAX_PENDING * sizeof *r->pending);
    if (r->marks && r->pending)
        return r;
    cspr_reach_free(r);
    return NULL;
}

bool cspr_reach_ready(cspr_reach *r)
{
    return (r->index = cspr_reach_index_new()) && cspr_ranges_read(&r->readable);
}

void cspr_reach_free(cspr_reach *r)
{
    if (r->index)
        cspr_reach_index_free(r->index);
    unmap(r->marks, MARKS_BYTES);
    unmap(r->noted, MARKS_BYTES);
    unmap(r->pending, MAX_PENDING * sizeof *r->pending);
    unmap(r->areas, r->cap_areas * sizeof *r->areas);
    unmap(r->places, r->n_areas * sizeof *r->places);
    cspr_ranges_fini(&r->readable);
    munmap(r, sizeof *r);
}

const cspr_ranges *cspr_reach_readable(const cspr_reach *r)
{
    return &r->readable;
}

// --- areas ------------------------------------------------------------------------------------------------------------------

uint32_t cspr_reach_add_area(cspr_reach *r, uintptr_t lo, uintptr_t hi)
{
    if (r->n_areas == r->cap_areas) {
        size_t cap = r->cap_areas ? 2 * r->cap_areas : 1024;
        area *bigger = map(cap * sizeof *bigger);
        CSPR_CHECK(bigger);
        for (size_t i = 0; i < r->n_areas; i++)
            bigger[i] = r->areas[i];
        unmap(r->areas, r->cap_areas * sizeof *r->areas);
        r->areas = bigger;
        r->cap_areas = cap;
    }
    r->areas[r->n_areas] = (area){{lo, hi}, (uint32_t)r->n_areas, false};
    return (uint32_t)r->n_areas++;
}

static void sift_down(area *heap, size_t i, size_t n)
{
    area moved = heap[i];
    for (size_t child; (child = 2 * i + 1) < n; i = child) {
        child += child + 1 < n && heap[child + 1].range.lo > heap[child].range.lo;
        if (heap[child].range.lo <= moved.range.lo)
            break;
        heap[i] = heap[child];
    }
    heap[i] = moved;
}

// A heap sort: libc's qsort allocates.
void cspr_reach_areas_done(cspr_reach *r)
{
    for (size_t i = r->n_areas / 2; i-- > 0;)
        sift_down(r->areas, i, r->n_areas);
    for (size_t n = r->n_areas; n > 1; n--) {
        area first = r->areas[0];
        r->areas[0] = r->areas[n - 1];
        r->areas[n - 1] = first;
        sift_down(r->areas, 0, n - 1);
    }
    r->places = r->n_areas ? map(r->n_areas * sizeof *r->places) : NULL;
    CSPR_CHECK(r->places || !r->n_areas);
    for (size_t i = 0; i < r->n_areas; i++)
        r->places[r->areas[i].number] = (uint32_t)i;
}

void cspr_reach_add_mapping(uintptr_t lo, uintptr_t hi, void *reach)
{
    cspr_reach_add_area(reach, lo, hi);
}

static area *area_of(const cspr_reach *r, uintptr_t addr)
{
    size_t lo = 0, hi = r->n_areas;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (r->areas[mid].range.hi <= addr)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < r->n_areas && addr >= r->areas[lo].range.lo ? &r->areas[lo] : NULL;
}

// --- marking ----------------------------------------------------------------------------------------------------------------

static void push(cspr_reach *r, uintptr_t lo, uintptr_t hi)
{
    if (lo < hi && r->n_pending < MAX_PENDING)
        r->pending[r->n_pending++] = (cspr_range){lo, hi};
}

// [lo, hi), as far as it may be read.
static void push_readable(cspr_reach *r, uintptr_t lo, uintptr_t hi)
{
    const cspr_ranges *all = &r->readable;
    for (size_t i = cspr_ranges_find(all, lo); i < all->n && all->list[i].lo < hi; i++)
        push(r, all->list[i].lo > lo ? all->list[i].lo : lo, all->list[i].hi < hi ? all->list[i].hi : hi);
}

static bool is_readable(const cspr_reach *r, uintptr_t addr)
{
    size_t i = cspr_ranges_find(&r->readable, addr);
    return i < r->readable.n && r->readable.list[i].lo <= addr;
}

// The live block that addr is in.
static bool find_block(const cspr_reach *r, uintptr_t addr, uintptr_t low, cspr_block *b)
{
    uintptr_t start = addr - ((addr & SPACE_MASK) - low);
    if (!is_readable(r, start - sizeof(uint64_t))) // other high bits: a number that only looks like an address
        return false;
    *b = cspr_heap_block(start);
    return addr - start < (b->size ? b->size : 1);
}

static void mark_block(cspr_reach *r, uintptr_t addr, uintptr_t low)
{
    cspr_block b;
    size_t bit = low >> CSPR_HEAP_GRAIN_BITS;
    if (r->marks[bit / 64] >> (bit % 64) & 1) // of the one block there; which is enough
        return;
    if (!find_block(r, addr, low, &b))
        return;
    uintptr_t start = b.start;
    r->marks[bit / 64] |= (uint64_t)1 << (bit % 64);
    r->bytes += b.size;
    if (b.size < PAGE)
        push(r, start, start + (b.size & ~(uintptr_t)7));
    else
        push_readable(r, start, start + (b.size & ~(uintptr_t)7));
}

static bool may_be_address(uintptr_t v)
{
    return v - PAGE < ((uintptr_t)1 << 47) - PAGE;
}

static void look_at(cspr_reach *r, uintptr_t v)
{
    uintptr_t low;
    if (!may_be_address(v))
        return;
    if (cspr_reach_index_find(r->index, v, &low))
        mark_block(r, v, low);
    area *a = area_of(r, v);
    if (!a || a->reached)
        return;
    a->reached = true;
    push_readable(r, a->range.lo & ~(uintptr_t)7, a->range.hi);
}

// The program's memory, whatever sanitizers think of it.
static void read_words(cspr_reach *r, cspr_range range)
{
    for (uintptr_t p = range.lo; p < range.hi; p += sizeof(uintptr_t))
        look_at(r, *(const volatile uintptr_t *)p);
}

static void follow(cspr_reach *r)
{
    while (r->n_pending)
        read_words(r, r->pending[--r->n_pending]);
}

void cspr_reach_root(cspr_reach *r, uintptr_t lo, uintptr_t hi)
{
    push_readable(r, (lo + 7) & ~(uintptr_t)7, hi & ~(uintptr_t)7);
    follow(r);
}

bool cspr_reach_copied(cspr_reach *r, uintptr_t lo, size_t n)
{
    uintptr_t words[PAGE / sizeof(uintptr_t)];
    struct iovec to = {words, n}, from = {(void *)lo, n};
    if (process_vm_readv(getpid(), &to, 1, &from, 1, 0) != (ssize_t)n)
        return false;
    for (size_t i = 0; i < n / sizeof *words; i++)
        look_at(r, words[i]);
    follow(r);
    return true;
}

void cspr_reach_root_upward(cspr_reach *r, uintptr_t lo)
{
    for (uintptr_t at = lo & ~(uintptr_t)7, n; at - lo < MAX_UPWARD; at += n) {
        n = PAGE - (at & (PAGE - 1));
        if (!cspr_reach_copied(r, at, n))
            break;
    }
}

void cspr_reach_pointer(cspr_reach *r, uintptr_t p)
{
    look_at(r, p);
    follow(r);
}

void cspr_reach_area(cspr_reach *r, uint32_t number)
{
    area *a = &r->areas[r->places[number]];
    if (a->reached)
        return;
    a->reached = true;
    cspr_reach_root(r, a->range.lo, a->range.hi);
}

bool cspr_reach_has_area(const cspr_reach *r, uint32_t number)
{
    return r->areas[r->places[number]].reached;
}

bool cspr_reach_has_block(const cspr_reach *r, uintptr_t start)
{
    size_t bit = (start & SPACE_MASK) >> CSPR_HEAP_GRAIN_BITS;
    return r->marks[bit / 64] >> (bit % 64) & 1;
}

size_t cspr_reach_bytes(const cspr_reach *r)
{
    return r->bytes;
}

// --- the others -------------------------------------------------------------------------------------------------------------

struct others {
    cspr_reach *r;
    void (*fn)(const cspr_block *block, void *arg);
    void *arg;
};

// The high bits are those of the range in which such an address may be read.
static bool whole_address(const cspr_reach *r, uintptr_t low, uintptr_t *start)
{
    for (uintptr_t high = 0; high < (uintptr_t)1 << 47; high += SPACE_MASK + 1)
        if (is_readable(r, (high | low) - sizeof(uint64_t))) {
            *start = high | low;
            return true;
        }
    return false;
}

static void tell_others(const uint64_t *words, size_t first, void *arg)
{
    struct others *o = arg;
    for (size_t i = 0; i < 1u << (CSPR_HEAP_AREA_BITS - CSPR_HEAP_GRAIN_BITS - 6); i++)
        for (uint64_t left = words[i] & ~o->r->marks[first + i]; left; left &= left - 1) {
            uintptr_t low = ((first + i) * 64 + (size_t)__builtin_ctzll(left)) << CSPR_HEAP_GRAIN_BITS, start;
            if (!whole_address(o->r, low, &start))
                continue;
            cspr_block b = cspr_heap_block(start);
            o->fn(&b, o->arg);
        }
}

void cspr_reach_each_other(cspr_reach *r, void (*fn)(const cspr_block *block, void *arg), void *arg)
{
    struct others o = {.r = r, .fn = fn, .arg = arg};
    cspr_heap_each_area(tell_others, &o);
}

bool cspr_reach_note_begin(cspr_reach *r)
{
    return (r->noted = map(MARKS_BYTES)) != NULL;
}

void cspr_reach_note_pointers(cspr_reach *r, const cspr_block *b)
{
    uintptr_t end = b->start + (b->size & ~(uintptr_t)7), low;
    for (uintptr_t p = b->start; p < end; p += sizeof(uintptr_t)) {
        if (p % PAGE == 0 && !is_readable(r, p)) {
            p += PAGE - sizeof(uintptr_t);
            continue;
        }
        uintptr_t v = *(const volatile uintptr_t *)p;
        cspr_block other;
        if (!may_be_address(v) || !cspr_reach_index_find(r->index, v, &low) || !find_block(r, v, low, &other) ||
            other.start == b->start)
            continue;
        size_t bit = low >> CSPR_HEAP_GRAIN_BITS;
        r->noted[bit / 64] |= (uint64_t)1 << (bit % 64);
    }
}

bool cspr_reach_is_pointed_to(const cspr_reach *r, uintptr_t start)
{
    size_t bit = (start & SPACE_MASK) >> CSPR_HEAP_GRAIN_BITS;
    return r->noted[bit / 64] >> (bit % 64) & 1;
}
