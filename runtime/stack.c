// stack.c - coroutine stacks: slots in big mappings, a guard page below each, the descriptor at the top.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//   slab:  | guard | stack ............ <- sp | csp_co | guard | stack ...
//            4 KiB                              one slot is CSPI_STACK_SIZE
//
// Why slabs: adjacent mappings with equal rights are one VMA, so a million stacks stay far below vm.max_map_count, as long
// as the guards do not split them: MADV_GUARD_INSTALL (Linux 6.13) marks page-table entries only. On older kernels
// mprotect splits mappings, two VMAs a stack; when the kernel refuses (ENOMEM at some 32k stacks) we say so once and go on
// without guards, since a program that never overflows loses nothing.
// Giving the descriptors different cache colours was tried: it gains less than the noise (5 %) at 32 to 8192 coroutines.
// Slots are handed out in address order and never unmapped; a free one keeps its committed pages for the next coroutine.
// Invariants (under stacks.lock):  I1 slots [0, used) of a slab were handed out once, so their guard and descriptor stand
//                                  I2 every free one is in the common list or in exactly one cache
#include "stack.h"

#include "base/lock.h"
#include "co.h"
#include "hooks.h"
#include "panic.h"

#include <errno.h>
#include <sys/mman.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

#define FIRST_SLAB_SLOTS 16u
#define LARGEST_SLAB_SLOTS 1024u
#define MAX_SLABS 16384u // 1 TB of stacks
#define CACHE_MAX 64u
#define DESCRIPTOR_SPACE ((sizeof(csp_co) + 63) / 64 * 64)

struct slab {
    char *base;
    unsigned slots;
    unsigned used; // I1; atomic for the signal handler
};

static struct {
    cspi_lock lock;
    csp_co *free;
    struct slab slabs[MAX_SLABS];
    unsigned n_slabs; // atomic: S1, stored after the slab is filled in, for the signal handler
    bool no_install, no_guards;
} stacks;

static csp_co *descriptor_of(const char *slot)
{
    return (csp_co *)(slot + CSPI_STACK_SIZE - DESCRIPTOR_SPACE);
}

static char *slot_of(const csp_co *co)
{
    return (char *)co + DESCRIPTOR_SPACE - CSPI_STACK_SIZE;
}

void *cspi_stack_lo(const csp_co *co)
{
    return slot_of(co) + CSPI_STACK_GUARD;
}

void *cspi_stack_hi(const csp_co *co)
{
    return (void *)co;
}

// NULL when the kernel has no address space for us.
static void *map_or_null(size_t size)
{
    CSP_HOOK(ignore_begin);
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (p != MAP_FAILED)
        madvise(p, size, MADV_NOHUGEPAGE); // a huge page would commit 32 stacks at once
    CSP_HOOK(ignore_end);
    return p == MAP_FAILED ? NULL : p;
}

// Caller holds stacks.lock.
static void guard_page_locked(char *page)
{
    if (stacks.no_guards)
        return;
    int saved = errno;
    CSP_HOOK(ignore_begin);
    bool done = !stacks.no_install && madvise(page, CSPI_STACK_GUARD, MADV_GUARD_INSTALL) == 0;
    if (!done) {
        stacks.no_install = true;
        done = mprotect(page, CSPI_STACK_GUARD, PROT_NONE) == 0;
    }
    CSP_HOOK(ignore_end);
    if (!done) {
        stacks.no_guards = true;
        cspi_say("cspthread: the kernel allows no more guard pages (vm.max_map_count); further stacks have none\n");
    }
    errno = saved;
}

// Caller holds stacks.lock.
static struct slab *add_slab_locked(void)
{
    unsigned n = stacks.n_slabs;
    unsigned slots = n < 6 ? FIRST_SLAB_SLOTS << n : LARGEST_SLAB_SLOTS;
    char *base = n < MAX_SLABS ? map_or_null(slots * CSPI_STACK_SIZE) : NULL;
    if (!base)
        return NULL;
    stacks.slabs[n] = (struct slab){.base = base, .slots = slots, .used = 0};
    csp_store_rel(&stacks.n_slabs, n + 1); // S1: publishes the slab
    return &stacks.slabs[n];
}

// A slot never used before. Caller holds stacks.lock.
static csp_co *carve_locked(void)
{
    struct slab *s = stacks.n_slabs ? &stacks.slabs[stacks.n_slabs - 1] : NULL;
    if (!s || s->used == s->slots)
        s = add_slab_locked();
    if (!s)
        return NULL;
    char *slot = s->base + s->used * CSPI_STACK_SIZE;
    guard_page_locked(slot);
    csp_store_rel(&s->used, s->used + 1); // S1
    return descriptor_of(slot);
}

csp_co *cspi_stack_get(cspi_stack_cache *cache)
{
    csp_co *co = cache ? cache->head : NULL;
    if (co) {
        cache->head = co->link;
        cache->n--;
        return co;
    }
    cspi_lock_acquire(&stacks.lock);
    co = stacks.free;
    if (co)
        stacks.free = co->link;
    else
        co = carve_locked();
    // Half a cache at once, so that a worker which creates many does not come here for each.
    for (; cache && cache->n < CACHE_MAX / 2 && stacks.free; cache->n++) {
        csp_co *more = stacks.free;
        stacks.free = more->link;
        more->link = cache->head;
        cache->head = more;
    }
    cspi_lock_release(&stacks.lock);
    if (!co)
        cspi_fatal("out of memory: no address space for a coroutine's stack");
    return co;
}

void cspi_stack_put(cspi_stack_cache *cache, csp_co *co)
{
    if (cache) {
        co->link = cache->head;
        cache->head = co;
        if (++cache->n <= CACHE_MAX)
            return;
    } else {
        co->link = NULL;
    }
    cspi_lock_acquire(&stacks.lock);
    if (!cache) {
        co->link = stacks.free;
        stacks.free = co;
    }
    for (; cache && cache->n > CACHE_MAX / 2; cache->n--) {
        csp_co *less = cache->head;
        cache->head = less->link;
        less->link = stacks.free;
        stacks.free = less;
    }
    cspi_lock_release(&stacks.lock);
}

csp_co *cspi_stack_of_guard(uintptr_t addr)
{
    unsigned n = csp_load_acq(&stacks.n_slabs); // S1
    for (unsigned i = 0; i < n; i++) {
        const struct slab *s = &stacks.slabs[i];
        uintptr_t offset = addr - (uintptr_t)s->base; // wraps to a huge value below base
        size_t slot = offset / CSPI_STACK_SIZE;
        if (slot < csp_load_acq(&s->used)) // S1
            return offset % CSPI_STACK_SIZE < CSPI_STACK_GUARD ? descriptor_of(s->base + slot * CSPI_STACK_SIZE) : NULL;
    }
    return NULL;
}

static void each_of(const struct slab *s, bool (*fn)(csp_co *co, void *arg), void *arg, bool *go_on)
{
    unsigned used = csp_load_acq(&s->used); // S1
    for (unsigned j = 0; j < used && *go_on; j++)
        *go_on = fn(descriptor_of(s->base + j * CSPI_STACK_SIZE), arg);
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
    size_t slots = 0;
    unsigned n = csp_load_acq(&stacks.n_slabs); // S1
    for (unsigned i = 0; i < n; i++)
        slots += stacks.slabs[i].slots;
    return slots * CSPI_STACK_SIZE;
}

void *cspi_stack_map_own(size_t size)
{
    char *p = map_or_null(size + CSPI_STACK_GUARD);
    if (!p)
        cspi_fatal("out of memory: no address space for the runtime's own stack");
    cspi_lock_acquire(&stacks.lock);
    guard_page_locked(p);
    cspi_lock_release(&stacks.lock);
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

void cspi_stack_no_guard_install_for_test(void)
{
    stacks.no_install = true;
}
