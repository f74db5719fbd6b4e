// extent.c - the granule table and its descriptors.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Ordering:  E1 set: descriptor written, then slot store-release -> get: slot load-acquire
//            E2 a descriptor is reused once no slot names it: its generation changes before and after; get reads the
//               generation and the slot again after copying and starts over when either moved (a seqlock)
#include "shadow/extent.h"

#include "support/alloc.h"
#include "support/lock.h"

enum { GRANULE_BITS = 16, SLOT_BITS = 44 - GRANULE_BITS, EXTENT_BITS = 24 };

typedef struct extent {
    uint64_t generation; // atomic; odd while it is being written
    uint64_t at;         // these four atomic, under the generation
    uint32_t id, who, epoch, stack;
    uint32_t n_slots;   // under extents_lock
    uint32_t next_free; // under extents_lock
} extent;

static uint32_t *slots; // atomic
static extent *extents;
static uint32_t n_extents = 1, free_head;
static cspr_lock extents_lock;
bool cspr_extent_any;
uint64_t cspr_extent_changes = 1;
__thread struct cspr_extent_known cspr_extent_known[CSPR_EXTENT_KNOWN] __attribute__((tls_model("initial-exec")));

void cspr_extent_init(void)
{
    if (slots)
        return;
    slots = cspr_reserve(sizeof *slots << SLOT_BITS);
    extents = cspr_reserve(sizeof *extents << EXTENT_BITS);
}

static uint32_t *slot_of(uintptr_t addr)
{
    return &slots[(addr & CSPR_APP_MASK) >> GRANULE_BITS];
}

#define LOAD(p) __atomic_load_n(&(p), __ATOMIC_RELAXED) // relaxed: E2's generation orders them
#define STORE(p, v) __atomic_store_n(&(p), v, __ATOMIC_RELAXED)

bool cspr_extent_get(uintptr_t addr, cspr_entry *out)
{
    uint32_t *slot = slot_of(addr);
    for (;;) {
        uint32_t i = __atomic_load_n(slot, __ATOMIC_ACQUIRE); // E1
        if (!i)
            return false;
        const extent *x = &extents[i];
        uint64_t generation = __atomic_load_n(&x->generation, __ATOMIC_ACQUIRE); // E2
        *out = (cspr_entry){
            .at = LOAD(x->at),
            .id = LOAD(x->id),
            .who = LOAD(x->who),
            .epoch = LOAD(x->epoch),
            .stack = LOAD(x->stack),
            .mask = 0xff,
            .kind = CSPR_WRITE,
        };
        __atomic_thread_fence(__ATOMIC_ACQUIRE); // E2: the copies come before the second look
        if (!(generation & 1) && LOAD(x->generation) == generation && LOAD(*slot) == i)
            return true;
    }
}

static uint32_t new_extent_locked(const cspr_entry *e)
{
    uint32_t i = free_head;
    if (i)
        free_head = extents[i].next_free;
    else if (n_extents < 1u << EXTENT_BITS)
        i = n_extents++;
    else
        cspr_die("more than %u large blocks", 1u << EXTENT_BITS);
    extent *x = &extents[i];
    __atomic_fetch_add(&x->generation, 1, __ATOMIC_ACQ_REL); // E2: odd
    __atomic_thread_fence(__ATOMIC_RELEASE);
    STORE(x->at, e->at);
    STORE(x->id, e->id);
    STORE(x->who, e->who);
    STORE(x->epoch, e->epoch);
    STORE(x->stack, e->stack);
    __atomic_fetch_add(&x->generation, 1, __ATOMIC_RELEASE); // E2: even
    x->n_slots = 0;
    return i;
}

void cspr_extent_set(uintptr_t lo, uintptr_t hi, const cspr_entry *e)
{
    if (lo >= hi || (!e && !LOAD(cspr_extent_any)))
        return;
    STORE(cspr_extent_any, true);
    cspr_lock_acquire(&extents_lock);
    uint32_t fresh = e ? new_extent_locked(e) : 0;
    for (uintptr_t a = lo; a < hi; a += CSPR_GRANULE) {
        uint32_t *slot = slot_of(a), old = LOAD(*slot);
        __atomic_store_n(slot, fresh, __ATOMIC_RELEASE); // E1
        if (fresh)
            extents[fresh].n_slots++;
        if (old && --extents[old].n_slots == 0) {
            extents[old].next_free = free_head;
            free_head = old;
        }
    }
    __atomic_fetch_add(&cspr_extent_changes, 1, __ATOMIC_SEQ_CST); // after the slots, before the caller looks at words
    cspr_lock_release(&extents_lock);
}

void cspr_extent_fork_lock(bool take)
{
    cspr_lock_for_fork(&extents_lock, take);
}
