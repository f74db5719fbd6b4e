// heap.c - the program's heap blocks: a 16-byte header before each, and a bitmap of where blocks start.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//   glibc's block   |  (alignment gap)  | header 16 | the program's bytes ... |
//                   ^ raw                           ^ start: its bit is set in the bitmap
//
// Invariants
//   I1 A start's bit is set exactly while the block is live; a pointer without it is not ours (memory that ld.so or libc
//      allocated before we were ready) and goes to libc unseen.
//   I2 The bitmap has one bit per 16 bytes of the 44-bit application space (128 GB reserved, committed by touching).
#include "shadow/heap.h"
#include "support/alloc.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

// glibc's allocator under its own names: no dlsym, so that malloc works before anything else does.
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *p);

typedef struct header {
    uint64_t size : 55, is_tls : 1, log2_gap : 8; // gap: from raw to start
    cspr_stack stack;
    cspr_who who;
} header;
_Static_assert(sizeof(header) == 16, "blocks stay 16-byte aligned");

enum { GRAIN_BITS = CSPR_HEAP_GRAIN_BITS, MIN_GAP = sizeof(header) };
#define SPACE_BITS CSPR_HEAP_SPACE_BITS
#define MAX_SIZE ((size_t)1 << 46)

static _Atomic uint64_t *starts; // immutable after start
static _Atomic size_t largest;   // bounds the search for a block's start; relaxed: only grows

// Where blocks have ever started, so that all of them are found without looking at all of the bitmap: a bit per 64 KiB, and
// one per 4 MiB of these. Relaxed throughout: who reads them stands still or knows of the block by other means.
enum { AREA_BITS = CSPR_HEAP_AREA_BITS };
static _Atomic uint64_t *areas; // immutable after start
static _Atomic uint64_t areas_of_areas[(size_t)1 << (SPACE_BITS - AREA_BITS - 12)];

void cspr_heap_init(void)
{
    areas = cspr_reserve((size_t)1 << (SPACE_BITS - AREA_BITS - 3));
    starts = cspr_reserve((size_t)1 << (SPACE_BITS - GRAIN_BITS - 3));
}

static void set_bit(_Atomic uint64_t *bits, size_t bit)
{
    atomic_fetch_or_explicit(&bits[bit / 64], (uint64_t)1 << (bit % 64), memory_order_relaxed);
}

static void note_area(uintptr_t start)
{
    size_t area = (start & (((uintptr_t)1 << SPACE_BITS) - 1)) >> AREA_BITS;
    if (CSPR_LIKELY(atomic_load_explicit(&areas[area / 64], memory_order_relaxed) >> (area % 64) & 1))
        return;
    set_bit(areas_of_areas, area / 64);
    set_bit(areas, area);
}

void cspr_heap_each_area(void (*fn)(const uint64_t *words, size_t first, void *arg), void *arg)
{
    for (size_t i = 0; i < sizeof areas_of_areas / sizeof *areas_of_areas; i++)
        for (uint64_t left = areas_of_areas[i]; left; left &= left - 1) {
            size_t word = i * 64 + (size_t)__builtin_ctzll(left);
            for (uint64_t bits = areas[word]; bits; bits &= bits - 1) {
                size_t area = word * 64 + (size_t)__builtin_ctzll(bits);
                size_t first = area << (AREA_BITS - GRAIN_BITS - 6);
                fn((const uint64_t *)&starts[first], first, arg);
            }
        }
}

const uint64_t *cspr_heap_starts(void)
{
    return (const uint64_t *)starts;
}

cspr_block cspr_heap_block(uintptr_t start)
{
    const header *h = (const header *)start - 1;
    return (cspr_block){start, h->size, h->stack, h->who};
}

static size_t bit_of(uintptr_t addr)
{
    return (addr & (((uintptr_t)1 << SPACE_BITS) - 1)) >> GRAIN_BITS;
}

static header *header_of(const void *start)
{
    return (header *)start - 1;
}

bool cspr_heap_is_ours(const void *p)
{
    size_t bit = bit_of((uintptr_t)p);
    if (!starts || ((uintptr_t)p & 15))
        return false;
    // relaxed: the caller owns the block, so its allocation is ordered before by whatever gave it the pointer
    return atomic_load_explicit(&starts[bit / 64], memory_order_relaxed) >> (bit % 64) & 1;
}

size_t cspr_heap_size(const void *p)
{
    return header_of(p)->size;
}

static void note_largest(size_t size)
{
    size_t seen = atomic_load_explicit(&largest, memory_order_relaxed);
    while (seen < size &&
           !atomic_compare_exchange_weak_explicit(&largest, &seen, size, memory_order_relaxed, memory_order_relaxed))
        ;
}

static void *get_raw(size_t gap, size_t size, bool zeroed)
{
    if (gap > MIN_GAP)
        return __libc_memalign(gap, size + gap);
    return zeroed ? __libc_calloc(1, size + gap) : __libc_malloc(size + gap);
}

void *cspr_heap_new(size_t alignment, size_t size, bool zeroed, cspr_stack stack, bool is_foreign)
{
    size_t gap = alignment > MIN_GAP ? alignment : MIN_GAP;
    if (size > MAX_SIZE || gap > MAX_SIZE) {
        errno = ENOMEM;
        return NULL;
    }
    cspr_enter(); // a signal handler of the program's must not find libc's arena half changed
    char *raw = get_raw(gap, size, zeroed);
    cspr_leave();
    if (!raw)
        return NULL;
    char *start = raw + gap;
    if (zeroed && gap > MIN_GAP)
        memset(start, 0, size);
    if (!starts) { // before start-up there is no bitmap to mark it in: it must be libc's own kind of block
        return raw;
    }
    cspr_task *task = stack ? cspr_task_current() : NULL;
    *header_of(start) = (header){size, 0, (uint64_t)__builtin_ctzll(gap), stack, task ? cspr_task_who(task) : 0};
    note_largest(size);
    note_area((uintptr_t)start);
    size_t bit = bit_of((uintptr_t)start);
    // release: a reporter that finds the bit reads the header
    atomic_fetch_or_explicit(&starts[bit / 64], (uint64_t)1 << (bit % 64), memory_order_release);
    if (stack && is_foreign)
        cspr_shadow_forget((uintptr_t)start, (uintptr_t)start + size + 7);
    else if (stack)
        cspr_access_alloc((uintptr_t)start, size, stack);
    return start;
}

// Whether glibc has made a mapping for this block alone, which free will unmap: bit 1 of the word before it.
static bool is_mapping(const char *raw)
{
    return ((const size_t *)(const void *)raw)[-1] & 2;
}

void cspr_heap_set_tls(void *p)
{
    header_of(p)->is_tls = 1;
}

// The loader frees an ended thread's blocks when it likes, in whichever thread: that is no access of the program's.
static void delete_tls(void *p, size_t size)
{
    cspr_enter();
    cspr_tls_block_freed(p, size);
    cspr_shadow_forget((uintptr_t)p, (uintptr_t)p + size + 7);
    cspr_leave();
}

void cspr_heap_delete(void *p, cspr_stack stack)
{
    if (!cspr_heap_is_ours(p)) {
        if (stack && starts && !((uintptr_t)p & 15))
            cspr_access_free_again((uintptr_t)p, stack); // libc ends the process next, if it was freed before
        cspr_enter();
        __libc_free(p);
        cspr_leave();
        return;
    }
    header *h = header_of(p);
    if (h->is_tls)
        delete_tls(p, h->size);
    else if (stack)
        cspr_access_free((uintptr_t)p, h->size, stack, h->stack);
    size_t bit = bit_of((uintptr_t)p);
    // acq_rel: of two threads that free the same block one sees the bit gone
    uint64_t before = atomic_fetch_and_explicit(&starts[bit / 64], ~((uint64_t)1 << (bit % 64)), memory_order_acq_rel);
    if (!(before >> (bit % 64) & 1))
        cspr_die("a block at %p is freed by two threads at once", p);
    cspr_enter();
    char *raw = (char *)p - ((size_t)1 << h->log2_gap);
    if (is_mapping(raw)) // what is mapped there next, by whomever, has no past; whoever comes back to this block faults
        cspr_shadow_forget((uintptr_t)p, (uintptr_t)p + h->size);
    __libc_free(raw);
    cspr_leave();
}

// The nearest start at or below addr, 0 when there is none within reach.
static uintptr_t find_start(uintptr_t addr)
{
    size_t bit = bit_of(addr), reach = (atomic_load_explicit(&largest, memory_order_relaxed) >> GRAIN_BITS) + 1;
    size_t word = bit / 64, last = bit > reach ? (bit - reach) / 64 : 0;
    // acquire: pairs with the release of the bit
    uint64_t bits = atomic_load_explicit(&starts[word], memory_order_acquire) & (~(uint64_t)0 >> (63 - bit % 64));
    while (!bits && word > last)
        bits = atomic_load_explicit(&starts[--word], memory_order_acquire);
    if (!bits)
        return 0;
    size_t found = word * 64 + 63 - (size_t)__builtin_clzll(bits);
    return addr - ((bit - found) << GRAIN_BITS) - (addr & 15);
}

// Copies a header that its owner may be giving back at this moment, memory and all.
static bool read_header(uintptr_t start, header *out)
{
    struct iovec to = {out, sizeof *out}, from = {(void *)(start - sizeof *out), sizeof *out};
    ssize_t n = process_vm_readv(getpid(), &to, 1, &from, 1, 0);
    if (n == (ssize_t)sizeof *out)
        return true;
    if (n >= 0 || (errno != ENOSYS && errno != EPERM))
        return false;
    *out = *header_of((void *)start); // a sandbox without that system call: the block is most likely still there
    return true;
}

bool cspr_heap_find(uintptr_t addr, cspr_block *out)
{
    header h;
    uintptr_t start = starts ? find_start(addr) : 0;
    if (!start || !read_header(start, &h) || addr - start >= (h.size ? h.size : 1))
        return false;
    *out = (cspr_block){start, h.size, h.stack, h.who};
    return true;
}
