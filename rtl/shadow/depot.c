// depot.c - interning of calling contexts; from frame records to stack ids and back.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Why: a cell has 26 bits for "where". Interning makes them exact: nothing is hashed away and nothing overwritten later.
// Invariants:  I1 an entry is written once, under its shard's lock, before its id is handed out   I2 a node's parent is older
// Ordering:    ids travel through shadow words (shadow.h E1) or frame records of one task, so reading an entry needs no lock
//              E1 publish: entry written, then its id store-released into a bucket or chain -> find: load-acquire of the id
#include "shadow/depot.h"

#include "support/alloc.h"
#include "support/lock.h"
#include "task/task.h"

#include <string.h>

enum {
    NODE_BITS = 28,
    STACK_BITS = 28,
    N_SHARDS = 64,
    FIRST_BUCKETS = 64,
    MAX_FOLD = 4,
    CACHE_BITS = 9,
    CACHE_SLOTS = 1 << CACHE_BITS,
    CACHE_WAYS = 4
};

// One interned thing: key (a, b) and the chain of its hash bucket.
typedef struct entry {
    uint64_t a;
    uint32_t b;
    uint32_t next;
} entry;

typedef struct buckets {
    uint32_t n;        // a power of two
    uint32_t newest[]; // atomic, E1: ids, 0: none
} buckets;

typedef struct shard {
    cspr_lock lock;
    uint32_t n;   // entries; under lock
    buckets *row; // atomic, E1; changed under lock
} shard;

typedef struct table {
    entry *entries;
    uint32_t capacity;
    uint32_t used;   // atomic
    uint32_t *value; // by id, NULL when the id itself is all
    shard shards[N_SHARDS];
} table;

// A node's key: a = return address, b = parent. A folded context is remembered as an alias, whose value is the node it was
// folded onto.
static table nodes, stacks, aliases;
static bool *is_folded; // by node: some recursion was folded onto it
uint32_t cspr_depot_cell_limit = 1u << CSPR_STACK_BITS;

#define ADDR_MASK 0x0000ffffffffffffull
enum {
    KIND_SHIFT = 60,
    KIND_ACCESS = 0,
    KIND_COMPOSITE,
    KIND_TAGGED,
    KIND_LOCK,
    KIND_LOCK_SET,
    KIND_LOCKED,
    KIND_READ_OVER
};

static void init_table(table *t, unsigned bits)
{
    t->entries = cspr_reserve(sizeof(entry) << bits);
    t->capacity = 1u << bits;
    t->used = 1;
}

void cspr_depot_init(void)
{
    if (nodes.entries)
        return;
    init_table(&nodes, NODE_BITS);
    init_table(&stacks, STACK_BITS);
    init_table(&aliases, NODE_BITS);
    aliases.value = cspr_reserve(sizeof(uint32_t) << NODE_BITS);
    is_folded = cspr_reserve(sizeof(bool) << NODE_BITS);
}

static uint64_t mix(uint64_t a, uint32_t b)
{
    uint64_t h = (a ^ (uint64_t)b << 40 ^ b) * 0x9e3779b97f4a7c15ull;
    return (h ^ h >> 29) * 0xbf58476d1ce4e5b9ull;
}

// A finder may be walking: a chain is re-linked entry by entry, so that each walk still ends, at worst too early (and is then
// repeated under the lock). The old row stays, for who still holds it: all rows that were outgrown are smaller than the last.
static void grow(table *t, shard *s)
{
    buckets *old = s->row;
    uint32_t n = old ? old->n * 4 : FIRST_BUCKETS;
    buckets *row = cspr_alloc(sizeof *row + n * sizeof *row->newest);
    row->n = n;
    for (uint32_t i = 0; old && i < old->n; i++) {
        for (uint32_t id = old->newest[i], next; id; id = next) {
            entry *e = &t->entries[id];
            next = e->next;
            uint32_t *head = &row->newest[(uint32_t)mix(e->a, e->b) & (n - 1)];
            __atomic_store_n(&e->next, *head, __ATOMIC_RELEASE); // E1
            *head = id;
        }
    }
    __atomic_store_n(&s->row, row, __ATOMIC_RELEASE); // E1
}

// Lock-free: what it misses may be just being added; intern() then looks again under the lock.
static uint32_t find_in(const table *t, const shard *s, uint64_t hash, uint64_t a, uint32_t b)
{
    const buckets *row = __atomic_load_n(&s->row, __ATOMIC_ACQUIRE); // E1
    if (!row)
        return 0;
    uint32_t id = __atomic_load_n(&row->newest[(uint32_t)hash & (row->n - 1)], __ATOMIC_ACQUIRE); // E1
    while (id && (t->entries[id].a != a || t->entries[id].b != b))
        id = __atomic_load_n(&t->entries[id].next, __ATOMIC_ACQUIRE); // E1
    return id;
}

static uint32_t find(const table *t, uint64_t a, uint32_t b)
{
    uint64_t hash = mix(a, b);
    return find_in(t, &t->shards[hash >> 58], hash, a, b);
}

// The id of (a, b), new (and then with this value) if need be; 0 when the table is full.
CSPR_NOINLINE static uint32_t intern(table *t, uint64_t a, uint32_t b, uint32_t value)
{
    uint64_t hash = mix(a, b);
    shard *s = &t->shards[hash >> 58];
    uint32_t id = find_in(t, s, hash, a, b);
    if (CSPR_LIKELY(id))
        return id;
    cspr_lock_acquire(&s->lock);
    id = find_in(t, s, hash, a, b);
    if (!id && t->used < t->capacity) {
        if (!s->row || s->n >= s->row->n)
            grow(t, s);
        id = __atomic_fetch_add(&t->used, 1, __ATOMIC_RELAXED); // relaxed: distinct is enough
        if (id < t->capacity) {
            uint32_t *head = &s->row->newest[(uint32_t)hash & (s->row->n - 1)];
            t->entries[id] = (entry){.a = a, .b = b, .next = *head};
            if (t->value)
                t->value[id] = value;
            __atomic_store_n(head, id, __ATOMIC_RELEASE); // E1
            s->n++;
        } else {
            id = 0;
        }
    }
    cspr_lock_release(&s->lock);
    if (CSPR_UNLIKELY(!id)) {
        static bool said;
        if (!__atomic_exchange_n(&said, true, __ATOMIC_RELAXED))
            cspr_note("the table of calling contexts is full: stacks of later accesses are not known");
    }
    return id;
}

// rule C1: a return address that stands MAX_FOLD times on the chain is folded onto its last occurrence.
static uint32_t fold_target(uint32_t parent, uintptr_t ret)
{
    unsigned seen = 0;
    uint32_t last = 0;
    for (uint32_t n = parent; n; n = nodes.entries[n].b) {
        if ((nodes.entries[n].a & ADDR_MASK) == ret) {
            last = last ? last : n;
            seen++;
        }
    }
    return seen >= MAX_FOLD ? last : 0;
}

uint32_t cspr_depot_node(uint32_t parent, uintptr_t ret)
{
    ret &= ADDR_MASK;
    uint32_t id = find(&nodes, ret, parent);
    if (id)
        return id;
    uint32_t alias = find(&aliases, ret, parent);
    if (alias)
        return aliases.value[alias];
    uint32_t onto = fold_target(parent, ret);
    if (!onto)
        return intern(&nodes, ret, parent, 0);
    __atomic_store_n(&is_folded[onto], true, __ATOMIC_RELAXED); // relaxed: only a remark in reports
    intern(&aliases, ret, parent, onto);
    return onto;
}

cspr_stack cspr_depot_stack(uint32_t node, uintptr_t pc)
{
    return intern(&stacks, (uint64_t)KIND_ACCESS << KIND_SHIFT | (pc & ADDR_MASK), node, 0);
}

// What this thread looked up lately: keys of stacks, or of nodes with bit 63 set, to ids. Most lookups end here, without a
// lock. A key is in its slot or, when others want that, in another one of the same line of the cache: a few keys that put each
// other out at every turn would cost more than all the rest. 8 KB of thread-local storage.
static __thread struct {
    uint64_t addr;
    uint32_t node;
    uint32_t id;
} cache[CACHE_SLOTS] __attribute__((tls_model("initial-exec"), aligned(64)));
#define CACHE_NODE (1ull << 63)

// Consecutive nodes, which the same places are called from, are not neighbours.
static inline unsigned slot_of(uint32_t node, uint64_t addr)
{
    return (unsigned)((addr + ((uint64_t)node << 32)) * 0x9e3779b97f4a7c15ull >> (64 - CACHE_BITS));
}

CSPR_NOINLINE static uint32_t lookup_slow(uint32_t node, uint64_t addr, unsigned slot)
{
    static __thread unsigned n_moved __attribute__((tls_model("initial-exec")));
    for (unsigned i = 1; i < CACHE_WAYS; i++)
        if (cache[slot ^ i].addr == addr && cache[slot ^ i].node == node && cache[slot ^ i].id)
            return cache[slot ^ i].id;
    uint32_t id = addr & CACHE_NODE ? cspr_depot_node(node, addr & ADDR_MASK) : intern(&stacks, addr, node, 0);
    cache[slot ^ (1 + n_moved++ % (CACHE_WAYS - 1))] = cache[slot];
    cache[slot].addr = addr;
    cache[slot].node = node;
    cache[slot].id = id;
    return id;
}

static inline uint32_t lookup(uint32_t node, uint64_t addr)
{
    unsigned slot = slot_of(node, addr);
    if (CSPR_LIKELY(cache[slot].addr == addr && cache[slot].node == node && cache[slot].id))
        return cache[slot].id;
    return lookup_slow(node, addr, slot);
}

cspr_stack cspr_depot_composite(cspr_stack old, unsigned old_mask, cspr_stack fresh, unsigned new_mask)
{
    if (old == fresh || !new_mask)
        return old;
    uint64_t a = (uint64_t)KIND_COMPOSITE << KIND_SHIFT | (uint64_t)old_mask << 40 | (uint64_t)new_mask << 32 | old;
    return lookup(fresh, a);
}

cspr_stack cspr_depot_read_over(cspr_stack written, cspr_stack read, unsigned mask)
{
    return lookup(read, (uint64_t)KIND_READ_OVER << KIND_SHIFT | (uint64_t)mask << 32 | written);
}

cspr_stack cspr_depot_take_read(cspr_stack *written, unsigned *mask)
{
    const entry *e = &stacks.entries[*written];
    bool is_one = e->a >> KIND_SHIFT == KIND_READ_OVER;
    *mask = is_one ? e->a >> 32 & 0xff : 0;
    if (is_one)
        *written = (cspr_stack)e->a;
    return is_one ? e->b : 0;
}

cspr_stack cspr_depot_tagged(cspr_stack inner, cspr_stack_tag tag)
{
    return lookup(inner, (uint64_t)KIND_TAGGED << KIND_SHIFT | tag);
}

cspr_stack cspr_depot_freed(cspr_stack inner, cspr_stack allocation)
{
    return lookup(inner, (uint64_t)KIND_TAGGED << KIND_SHIFT | (uint64_t)allocation << 2 | CSPR_TAG_FREE);
}

cspr_stack cspr_depot_allocation(cspr_stack freed)
{
    uint64_t a = stacks.entries[freed].a;
    return a >> KIND_SHIFT == KIND_TAGGED ? (cspr_stack)(a >> 2 & ((1u << STACK_BITS) - 1)) : 0;
}

cspr_stack cspr_depot_component(cspr_stack s, unsigned mask, unsigned within, unsigned *covers)
{
    unsigned byte = mask & -mask;
    unsigned stands_for = within | byte;
    while (stacks.entries[s].a >> KIND_SHIFT == KIND_COMPOSITE) {
        uint64_t a = stacks.entries[s].a;
        unsigned old_mask = (a >> 40) & 0xff, new_mask = (a >> 32) & 0xff;
        bool is_new = new_mask & byte;
        stands_for &= is_new ? new_mask : old_mask & ~new_mask;
        s = is_new ? stacks.entries[s].b : (cspr_stack)a;
    }
    if (covers)
        *covers = stands_for | byte;
    return s;
}

cspr_stack_tag cspr_depot_untag(cspr_stack *s)
{
    const entry *e = &stacks.entries[*s];
    if (e->a >> KIND_SHIFT != KIND_TAGGED)
        return CSPR_TAG_NONE;
    *s = e->b;
    return (cspr_stack_tag)(e->a & 3);
}

static uint32_t n_lock_sets; // atomic: entries of the kinds below

// As lookup; 0 when it is new and there are too many.
static uint32_t lookup_bounded(uint32_t b, uint64_t a)
{
    uint32_t id = find(&stacks, a, b);
    if (id)
        return id;
    uint32_t n = __atomic_add_fetch(&n_lock_sets, 1, __ATOMIC_RELAXED); // relaxed: a counter
    if (CSPR_LIKELY(n < CSPR_MAX_LOCK_SETS))
        return intern(&stacks, a, b, 0);
    __atomic_store_n(&n_lock_sets, CSPR_MAX_LOCK_SETS, __ATOMIC_RELAXED);
    if (n == CSPR_MAX_LOCK_SETS)
        cspr_note("too many different sets of locks: reports do not name the locks of every access from now on");
    return 0;
}

// Most of these are in the thread's cache.
static uint32_t lookup_lock(uint32_t b, uint64_t a)
{
    unsigned slot = slot_of(b, a);
    if (CSPR_LIKELY(cache[slot].addr == a && cache[slot].node == b && cache[slot].id))
        return cache[slot].id;
    uint32_t id = lookup_bounded(b, a);
    cache[slot].addr = a;
    cache[slot].node = b;
    cache[slot].id = id;
    return id;
}

#define KEY(kind, a) ((uint64_t)(kind) << KIND_SHIFT | (a))
enum { MODE_SHIFT = 48 };

uint32_t cspr_depot_lock_set(uint32_t older, const cspr_held *lock)
{
    uint64_t key = (uint64_t)lock->mode << MODE_SHIFT | ((uintptr_t)lock->lock & ADDR_MASK);
    uint32_t id = lookup_lock(lock->stack, KEY(KIND_LOCK, key));
    return id ? lookup_lock(id, KEY(KIND_LOCK_SET, older)) : older;
}

cspr_stack cspr_depot_locked(cspr_stack inner, uint32_t lock_set)
{
    cspr_stack s = lock_set ? lookup_lock(inner, KEY(KIND_LOCKED, lock_set)) : 0;
    return s ? s : inner;
}

static bool is_kind(uint32_t id, uint64_t kind)
{
    return stacks.entries[id].a >> KIND_SHIFT == kind;
}

size_t cspr_depot_unlock(cspr_stack *s, cspr_held *out, size_t max)
{
    size_t n = 0;
    if (!is_kind(*s, KIND_LOCKED))
        return 0;
    uint32_t set = (uint32_t)stacks.entries[*s].a;
    *s = stacks.entries[*s].b;
    for (uint32_t id = set; id; id = (uint32_t)stacks.entries[id].a)
        n++;
    size_t all = n;
    for (uint32_t id = set; id; id = (uint32_t)stacks.entries[id].a) {
        const entry *lock = &stacks.entries[stacks.entries[id].b];
        n--;
        if (all - n <= max)
            out[(all < max ? all : max) - (all - n)] =
                (cspr_held){(const void *)(lock->a & ADDR_MASK), (int)(lock->a >> MODE_SHIFT & 1), lock->b, 0};
    }
    return all < max ? all : max;
}

bool cspr_depot_is_tls(cspr_stack s)
{
    return cspr_depot_untag(&s) == CSPR_TAG_TLS;
}

// --- from frame records ---------------------------------------------------------------------------------------------------

// Names the n newest records from top on; `parent` is the node of the one before them. Deep chains are cut into pieces,
// since the list can only be walked towards the old end and stacks are small.
static uint32_t name_records(csp_frame *top, size_t n, uint32_t parent)
{
    enum { BATCH = 64 };
    csp_frame *mark[BATCH];
    size_t step = (n + BATCH - 1) / BATCH, n_marks = 0;
    for (size_t i = 0; i < n; i++, top = top->prev)
        if (i % step == 0)
            mark[n_marks++] = top;
    while (n_marks--) {
        if (step > 1) {
            size_t rest = n - n_marks * step;
            parent = name_records(mark[n_marks], rest < step ? rest : step, parent);
        } else {
            parent = lookup(parent, CACHE_NODE | (uintptr_t)mark[n_marks]->ret);
            mark[n_marks]->node = parent;
        }
    }
    return parent;
}

CSPR_NOINLINE static uint32_t name_all(csp_frame *top)
{
    size_t n = 0;
    csp_frame *f = top;
    for (; f && !f->node; f = f->prev)
        n++;
    return name_records(top, n, f ? (uint32_t)f->node : 0);
}

static inline __attribute__((always_inline)) uint32_t node_of(csp_frame *top)
{
    if (!top || top->node)
        return top ? (uint32_t)top->node : 0;
    csp_frame *parent = top->prev;
    if (CSPR_UNLIKELY(parent && !parent->node))
        return name_all(top);
    // A function of the runtime, mostly, called by one that has been here before.
    top->node = lookup(parent ? (uint32_t)parent->node : 0, CACHE_NODE | (uintptr_t)top->ret);
    return (uint32_t)top->node;
}

uint32_t cspr_depot_node_of(csp_frame *top)
{
    return node_of(top);
}

// Records below the stack pointer belong to frames that a longjmp or a foreign unwinder has left (rule C1). Only near ones:
// a handler on its own signal stack must not lose the records of the stack it interrupted. Who calls this is never inlined: a
// record in its own frame (CSPR_FRAME) would lie below what it takes for the stack pointer.
static inline csp_frame *pop_dead(csp_frame *top)
{
    const uintptr_t near = 8u << 20;
    uintptr_t sp = (uintptr_t)__builtin_frame_address(0);
    while (CSPR_UNLIKELY(top && (uintptr_t)top < sp && sp - (uintptr_t)top < near))
        top = top->prev;
    return top;
}

static inline __attribute__((always_inline)) uint32_t node_here(void *leaf_ret)
{
    csp_frame *top = pop_dead(__csp_top);
    if (top != __csp_top)
        __csp_top = top;
    uint32_t node = node_of(top);
    if (leaf_ret)
        node = lookup(node, CACHE_NODE | (uintptr_t)leaf_ret);
    return node;
}

CSPR_NOINLINE cspr_stack cspr_depot_here(void *pc, void *leaf_ret)
{
    return lookup(node_here(leaf_ret), (uintptr_t)pc & ADDR_MASK);
}

// Accesses under locks pay for one look-up, as others do.
enum { LOCKED_SLOTS = 256 };
static __thread struct {
    uint64_t pc;
    uint32_t node, lock_set, id;
} locked_cache[LOCKED_SLOTS] __attribute__((tls_model("initial-exec")));

CSPR_NOINLINE cspr_stack cspr_depot_here_locked(void *pc, void *leaf_ret, uint32_t lock_set)
{
    uint32_t node = node_here(leaf_ret);
    uint64_t addr = (uintptr_t)pc & ADDR_MASK;
    unsigned slot =
        (unsigned)((addr * 0x9e3779b97f4a7c15ull >> 40) ^ node ^ lock_set * 0x9e3779b1u >> 20) % LOCKED_SLOTS;
    if (CSPR_LIKELY(locked_cache[slot].pc == addr && locked_cache[slot].node == node &&
                    locked_cache[slot].lock_set == lock_set && locked_cache[slot].id))
        return locked_cache[slot].id;
    uint32_t id = cspr_depot_locked(lookup(node, addr), lock_set);
    locked_cache[slot].pc = addr;
    locked_cache[slot].node = node;
    locked_cache[slot].lock_set = lock_set;
    locked_cache[slot].id = id;
    return id;
}

CSPR_NOINLINE cspr_stack cspr_stack_here(void *pc, void *leaf_ret)
{
    cspr_enter();
    cspr_stack s = lookup(node_here(leaf_ret), (uintptr_t)pc & ADDR_MASK);
    cspr_leave();
    return s;
}

CSPR_NOINLINE cspr_stack cspr_depot_release(csp_frame *top, void *leaf_pc, uintptr_t by)
{
    uint32_t node = node_of(top == __csp_top ? pop_dead(top) : top);
    if (leaf_pc)
        node = lookup(node, CACHE_NODE | (uintptr_t)leaf_pc);
    return lookup(node, by & ADDR_MASK);
}

cspr_stack cspr_depot_parked(csp_frame *top, void *pc)
{
    return lookup(cspr_depot_node_of(top), (uintptr_t)pc & ADDR_MASK);
}

size_t cspr_stack_frames(cspr_stack s, unsigned byte_mask, uintptr_t *frames, size_t max, bool *folded)
{
    bool dummy;
    folded = folded ? folded : &dummy;
    *folded = false;
    s = cspr_depot_component(s, byte_mask ? byte_mask : 1, 0, NULL);
    while (cspr_depot_untag(&s) != CSPR_TAG_NONE)
        ;
    cspr_depot_unlock(&s, NULL, 0);
    if (!s || !max)
        return 0;
    size_t n = 0;
    frames[n++] = stacks.entries[s].a & ADDR_MASK;
    for (uint32_t node = stacks.entries[s].b; node && n < max; node = nodes.entries[node].b) {
        frames[n++] = nodes.entries[node].a;
        *folded |= is_folded[node];
    }
    return n;
}

uint64_t cspr_depot_nodes(void)
{
    return __atomic_load_n(&nodes.used, __ATOMIC_RELAXED) - 1; // relaxed: a counter
}

uint64_t cspr_depot_stacks(void)
{
    return __atomic_load_n(&stacks.used, __ATOMIC_RELAXED) - 1; // relaxed: a counter
}

void cspr_depot_fork_lock(bool take)
{
    for (unsigned i = 0; i < N_SHARDS; i++) {
        cspr_lock_for_fork(&nodes.shards[i].lock, take);
        cspr_lock_for_fork(&aliases.shards[i].lock, take);
        cspr_lock_for_fork(&stacks.shards[i].lock, take);
    }
}
