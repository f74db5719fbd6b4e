// stack.c - coroutine stacks: slots in big mappings, a guard below each, the descriptor at the top.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//   slab:  | guard | stack ............ <- sp | csp_co | guard | stack ...
//           20 KiB    16 KiB << class, descriptor included
//
// Why slabs: adjacent mappings with equal rights are one VMA, so a million stacks stay far below vm.max_map_count, as long
// as the guards do not split them: MADV_GUARD_INSTALL (Linux 6.13) marks page-table entries only. On older kernels
// mprotect splits mappings, two VMAs a stack; when the kernel refuses (ENOMEM at some 32k stacks) we say so once and go on
// without guards, since a program that never overflows loses nothing.
// Giving the descriptors different cache colours was tried: it gains less than the noise (5 %) at 32 to 8192 coroutines.
// Slots are never unmapped. New ones are made ready many at a time (stack_memory.h), the more the more there are already.
// A stack is free in one of three ways: warm in a worker's cache, warm in the common list, or cold: its memory was given
// back, its descriptor is zero, a bit in its slab says so. Idle workers turn warm ones cold, an eighth of those that nobody
// wanted for a while at a time, so that a burst costs its memory for seconds, not for ever.
// Invariants (under stacks.lock):  I1 slots [0, used) of a slab were reserved once, so their descriptor reads as free or used
//                                  I2 every free one is cold, in its class's list, or in exactly one cache
#include "stack.h"

#include "base/lock.h"
#include "co.h"
#include "csp/go.h"
#include "csp/time.h"
#include "panic.h"
#include "stack_memory.h"

// Valgrind guesses that a far jump of the stack pointer is a switch; told of our stacks it need not, and then its reports are
// right. Outside of it the request is a few instructions that do nothing.
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define VALGRIND_STACK_REGISTER(lo, hi) ((void)0)
#endif

#define CLASSES 17u // 16 KiB ... 1 GiB
#define USUAL 2u    // 64 KiB
#define FIRST_SLAB_SLOTS 16u
#define LARGEST_SLAB_SLOTS 1024u
#define LARGEST_SLAB_BYTES ((size_t)128 << 20) // or one slot
#define MAX_SLABS 16384u                       // over a TB of stacks
#define CACHE_MAX 64u
#define DESCRIPTOR_SPACE ((sizeof(csp_co) + 63) / 64 * 64)
#define KEEP_WARM 256u // free stacks whose memory is not worth giving back
#define TRIM_PERIOD_NS (CSP_SECOND / 10)
#define TRIM_SLICE 512u                  // so many at a time: under a quarter of a millisecond
#define KEPT_OF_LARGE ((size_t)64 << 10) // of a large stack's memory, between two uses

struct slab {
    char *base;
    unsigned slots;
    unsigned used; // I1; atomic for the signal handler
    unsigned n_cold;
    uint8_t class;
    uint64_t cold[LARGEST_SLAB_SLOTS / 64];
};

static struct {
    cspi_lock lock;
    struct {
        csp_co *free; // warm
        struct slab *open;
        unsigned n_slabs, n_used, n_cold;
    } classes[CLASSES];
    struct slab slabs[MAX_SLABS];
    unsigned n_slabs; // atomic: S1, stored after the slab is filled in, for the signal handler
    // Of the usual class:
    unsigned n_free;     // warm; atomic for trim_due
    unsigned least_free; // since the period began
    unsigned to_trim;    // of this period; atomic for trim_due
    int64_t period_ns;   // when it began; atomic for trim_due
} stacks;

static size_t size_of_class(unsigned class)
{
    return CSPI_STACK_MIN << class;
}

static size_t stride_of_class(unsigned class)
{
    return CSPI_STACK_GUARD + size_of_class(class);
}

static char *slot_at(const struct slab *s, unsigned i)
{
    return s->base + i * stride_of_class(s->class);
}

static csp_co *descriptor_at(const struct slab *s, unsigned i)
{
    return (csp_co *)(slot_at(s, i) + stride_of_class(s->class) - DESCRIPTOR_SPACE);
}

size_t cspi_stack_size(const csp_co *co)
{
    return size_of_class(stacks.slabs[co->slab].class);
}

void *cspi_stack_lo(const csp_co *co)
{
    return (char *)co + DESCRIPTOR_SPACE - cspi_stack_size(co);
}

void *cspi_stack_hi(const csp_co *co)
{
    return (void *)co;
}

// --- slabs -----------------------------------------------------------------------------------------------------------------

// Caller holds stacks.lock. NULL: no address space.
static struct slab *add_slab_locked(unsigned class)
{
    unsigned n = stacks.n_slabs, of_class = stacks.classes[class].n_slabs;
    if (n == MAX_SLABS)
        return NULL;
    size_t stride = stride_of_class(class);
    unsigned slots = of_class < 6 ? FIRST_SLAB_SLOTS << of_class : LARGEST_SLAB_SLOTS;
    while (slots > 1 && slots * stride > LARGEST_SLAB_BYTES)
        slots /= 2;
    char *base;
    while (!(base = cspi_memory_map(slots * stride)) && slots > 1)
        slots /= 2; // near a limit, less may still do
    if (!base)
        return NULL;
    struct slab *s = &stacks.slabs[n];
    s->base = base;
    s->slots = slots;
    s->class = (uint8_t)class;
    stacks.classes[class].open = s;
    stacks.classes[class].n_slabs++;
    csp_store_rel(&stacks.n_slabs, n + 1); // S1: publishes the slab
    return s;
}

// Some slots of one slab, taken but not yet ready.
struct run {
    struct slab *slab;
    unsigned n;
    unsigned slots[CSPI_MEMORY_BATCH];
    bool need_guard;
};

// Cold ones, lowest addresses first. Caller holds stacks.lock, and there are some.
static void take_cold_locked(unsigned class, unsigned wanted, struct run *r)
{
    struct slab *s = stacks.slabs;
    while (s->class != class || s->n_cold == 0)
        s++;
    *r = (struct run){.slab = s};
    for (unsigned word = 0; word < LARGEST_SLAB_SLOTS / 64 && r->n < wanted; word++)
        for (; s->cold[word] && r->n < wanted; s->cold[word] &= s->cold[word] - 1)
            r->slots[r->n++] = word * 64 + (unsigned)__builtin_ctzll(s->cold[word]);
    s->n_cold -= r->n;
    stacks.classes[class].n_cold -= r->n;
}

// Never used ones. Caller holds stacks.lock. False: no address space.
static bool carve_locked(unsigned class, unsigned wanted, struct run *r)
{
    struct slab *s = stacks.classes[class].open;
    if (!s || s->used == s->slots)
        s = add_slab_locked(class);
    if (!s)
        return false;
    *r = (struct run){.slab = s, .need_guard = true};
    while (r->n < wanted && s->used + r->n < s->slots) {
        r->slots[r->n] = s->used + r->n;
        r->n++;
    }
    stacks.classes[class].n_used += r->n;
    csp_store_rel(&s->used, s->used + r->n); // S1
    return true;
}

// Guards, and where several are wanted their first pages, with a few system calls. No lock held.
static void make_ready(const struct run *r)
{
    char *at[CSPI_MEMORY_BATCH];
    for (unsigned i = 0; i < r->n; i++)
        at[i] = slot_at(r->slab, r->slots[i]);
    if (r->need_guard)
        cspi_memory_guard(at, r->n, CSPI_STACK_GUARD);
    if (r->n > 1)
        cspi_memory_populate(at, r->n, stride_of_class(r->slab->class) - CSPI_MEMORY_PAGE, CSPI_MEMORY_PAGE);
    for (unsigned i = 0; i < r->n; i++) {
        csp_co *co = descriptor_at(r->slab, r->slots[i]);
        co->slab = (uint16_t)(r->slab - stacks.slabs);
        if (r->need_guard)
            (void)VALGRIND_STACK_REGISTER(at[i] + CSPI_STACK_GUARD, (char *)co + DESCRIPTOR_SPACE);
    }
}

// --- getting and putting -----------------------------------------------------------------------------------------------------

// Of the usual class: counts those that leave the list.
static csp_co *pop_free_locked(unsigned class)
{
    csp_co *co = stacks.classes[class].free;
    if (!co)
        return NULL;
    stacks.classes[class].free = co->link;
    if (class == USUAL) {
        csp_store_rlx(&stacks.n_free, stacks.n_free - 1); // relaxed: under the lock
        if (stacks.n_free < stacks.least_free)
            stacks.least_free = stacks.n_free;
    }
    return co;
}

static void push_free_locked(unsigned class, csp_co *co)
{
    co->link = stacks.classes[class].free;
    stacks.classes[class].free = co;
    if (class == USUAL)
        csp_store_rlx(&stacks.n_free, stacks.n_free + 1); // relaxed: under the lock
}

static void cache_add(cspi_stack_cache *cache, csp_co *co)
{
    co->link = cache->head; // NOLINT(clang-analyzer-core.NullDereference): without a cache they come one by one
    cache->head = co;
    cache->n++;
}

// How many new ones to make ready at once: so that what is not used of them stays below a thirtieth of what is.
static unsigned batch_of(unsigned class, const cspi_stack_cache *cache)
{
    unsigned n = stacks.classes[class].n_used / 32;
    return !cache || n < 1 ? 1 : n > CSPI_MEMORY_BATCH ? CSPI_MEMORY_BATCH : n;
}

__attribute__((noinline)) static csp_co *get_slow(unsigned class, cspi_stack_cache *cache)
{
    struct run r = {0};
    cspi_lock_acquire(&stacks.lock);
    csp_co *co = pop_free_locked(class);
    bool found = co != NULL;
    if (found) // half a cache at once, so that a worker which creates many does not come here for each
        while (cache && cache->n < CACHE_MAX / 2 && stacks.classes[class].free)
            cache_add(cache, pop_free_locked(class));
    else if (stacks.classes[class].n_cold)
        take_cold_locked(class, batch_of(class, cache), &r);
    else if (!carve_locked(class, batch_of(class, cache), &r))
        r.n = 0;
    cspi_lock_release(&stacks.lock);
    if (found)
        return co;
    if (r.n == 0)
        cspi_fatal("out of memory: no address space for another coroutine's stack (%zu KiB; %zu coroutines live)",
                   size_of_class(class) >> 10, csp_count());
    make_ready(&r);
    for (unsigned i = r.n; i-- > 1;)
        cache_add(cache, descriptor_at(r.slab, r.slots[i]));
    return descriptor_at(r.slab, r.slots[0]);
}

csp_co *cspi_stack_get(cspi_stack_cache *cache)
{
    csp_co *co = cache ? cache->head : NULL;
    if (!co)
        return get_slow(USUAL, cache);
    cache->head = co->link;
    cache->n--;
    return co;
}

csp_co *cspi_stack_get_sized(size_t size)
{
    unsigned class = 0;
    while (class < CLASSES - 1 && size_of_class(class) < size)
        class++;
    return get_slow(class, NULL);
}

// Back to the common list, beyond what a cache should hold.
static void flush(cspi_stack_cache *cache)
{
    cspi_lock_acquire(&stacks.lock);
    for (; cache->n > CACHE_MAX / 2; cache->n--) {
        csp_co *less = cache->head;
        cache->head = less->link;
        push_free_locked(USUAL, less);
    }
    cspi_lock_release(&stacks.lock);
}

void cspi_stack_put(cspi_stack_cache *cache, csp_co *co)
{
    unsigned class = stacks.slabs[co->slab].class;
    if (cache && class == USUAL) {
        cache_add(cache, co);
        if (__builtin_expect(cache->n > CACHE_MAX, 0))
            flush(cache);
        return;
    }
    if (size_of_class(class) > KEPT_OF_LARGE) {
        char *lo = cspi_stack_lo(co);
        cspi_memory_give_back(&lo, 1, size_of_class(class) - KEPT_OF_LARGE);
    }
    cspi_lock_acquire(&stacks.lock);
    push_free_locked(class, co);
    cspi_lock_release(&stacks.lock);
}

// --- giving memory back --------------------------------------------------------------------------------------------------------

int64_t cspi_stack_trim_due(void)
{
    if (csp_load_rlx(&stacks.to_trim)) // relaxed, all: too early or too late does no harm
        return 0;
    return csp_load_rlx(&stacks.n_free) > KEEP_WARM ? csp_load_rlx(&stacks.period_ns) + TRIM_PERIOD_NS : INT64_MAX;
}

// A new period: what nobody wanted in the last one is too much by some.
static void begin_period_locked(int64_t now)
{
    unsigned unwanted = stacks.least_free > KEEP_WARM ? stacks.least_free - KEEP_WARM : 0;
    csp_store_rlx(&stacks.to_trim, unwanted / 8 + (unwanted > 0)); // relaxed, both: under the lock
    csp_store_rlx(&stacks.period_ns, now);
    stacks.least_free = stacks.n_free;
}

static void mark_cold_locked(struct slab *s, unsigned slot)
{
    s->cold[slot / 64] |= (uint64_t)1 << slot % 64;
    s->n_cold++;
    stacks.classes[USUAL].n_cold++;
}

static unsigned index_of(const csp_co *co)
{
    const struct slab *s = &stacks.slabs[co->slab];
    return (unsigned)((size_t)((char *)co - s->base) / stride_of_class(s->class));
}

bool cspi_stack_trim(void)
{
    if (cspi_stack_trim_due() == INT64_MAX)
        return false;
    int64_t now = csp_now();
    char *lo[TRIM_SLICE];
    struct slab *slab[TRIM_SLICE];
    uint16_t slot[TRIM_SLICE];
    unsigned n = 0;
    cspi_lock_acquire(&stacks.lock);
    if (stacks.to_trim == 0 && now >= stacks.period_ns + TRIM_PERIOD_NS)
        begin_period_locked(now);
    for (csp_co *co; n < TRIM_SLICE && n < stacks.to_trim && (co = pop_free_locked(USUAL)); n++) {
        lo[n] = cspi_stack_lo(co);
        slab[n] = &stacks.slabs[co->slab];
        slot[n] = (uint16_t)index_of(co);
    }
    csp_store_rlx(&stacks.to_trim, n < TRIM_SLICE ? 0 : stacks.to_trim - n); // relaxed: under the lock
    stacks.least_free = stacks.least_free > n ? stacks.least_free : 0;
    cspi_lock_release(&stacks.lock);
    if (n == 0)
        return false;
    cspi_memory_give_back(lo, n, size_of_class(USUAL));
    cspi_lock_acquire(&stacks.lock);
    for (unsigned i = 0; i < n; i++)
        mark_cold_locked(slab[i], slot[i]);
    cspi_lock_release(&stacks.lock);
    return true;
}

size_t cspi_stack_cold_for_test(void)
{
    cspi_lock_acquire(&stacks.lock);
    size_t n = stacks.classes[USUAL].n_cold;
    cspi_lock_release(&stacks.lock);
    return n;
}

// --- looking ---------------------------------------------------------------------------------------------------------------------

csp_co *cspi_stack_of_guard(uintptr_t addr)
{
    unsigned n = csp_load_acq(&stacks.n_slabs); // S1
    for (unsigned i = 0; i < n; i++) {
        const struct slab *s = &stacks.slabs[i];
        uintptr_t offset = addr - (uintptr_t)s->base; // wraps to a huge value below base
        size_t stride = stride_of_class(s->class), slot = offset / stride;
        if (slot < csp_load_acq(&s->used)) // S1
            return offset % stride < CSPI_STACK_GUARD ? descriptor_at(s, (unsigned)slot) : NULL;
    }
    return NULL;
}

static bool is_cold(const struct slab *s, unsigned slot)
{
    return s->cold[slot / 64] >> slot % 64 & 1;
}

static void each_of(const struct slab *s, bool (*fn)(csp_co *co, void *arg), void *arg, bool *go_on)
{
    unsigned used = csp_load_acq(&s->used); // S1
    for (unsigned j = 0; j < used && *go_on; j++)
        if (!is_cold(s, j))
            *go_on = fn(descriptor_at(s, j), arg);
}

void cspi_stack_each(bool (*fn)(csp_co *co, void *arg), void *arg, bool lock)
{
    if (lock)
        cspi_lock_acquire(&stacks.lock);
    unsigned n = csp_load_acq(&stacks.n_slabs); // S1
    bool go_on = true;
    for (unsigned i = 0; i < n && go_on; i++)
        each_of(&stacks.slabs[i], fn, arg, &go_on);
    if (lock)
        cspi_lock_release(&stacks.lock);
}

size_t cspi_stack_mapped(void)
{
    size_t bytes = 0;
    unsigned n = csp_load_acq(&stacks.n_slabs); // S1
    for (unsigned i = 0; i < n; i++)
        bytes += stacks.slabs[i].slots * stride_of_class(stacks.slabs[i].class);
    return bytes;
}

void *cspi_stack_map_own(size_t size)
{
    char *p = cspi_memory_map(size + CSPI_STACK_GUARD);
    if (!p)
        cspi_fatal("out of memory: no address space for the runtime's own stack");
    (void)VALGRIND_STACK_REGISTER(p + CSPI_STACK_GUARD, p + CSPI_STACK_GUARD + size);
    cspi_memory_guard(&p, 1, CSPI_STACK_GUARD);
    return p + CSPI_STACK_GUARD;
}

void cspi_stack_fork_lock(void)
{
    cspi_lock_acquire(&stacks.lock);
}

void cspi_stack_fork_unlock(void)
{
    cspi_lock_release(&stacks.lock);
}
