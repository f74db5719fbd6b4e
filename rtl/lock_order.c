// lock_order.c - the orders in which locks are taken, and cycles among them.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A graph of locks under one lock. An edge keeps its steps: one per task, pair of stacks and set of gates, the latest of these,
// since who is ordered after the latest is after all. A step that was made before in the same stretch of its task (nothing
// published since, but by locks) says nothing new, and is recognised without the graph (`recent`).
//
// Order. Nodes are numbered so that edges lead upwards, but for those that closed a cycle when they came (Pearce and Kelly, A dynamic
// topological sort algorithm for directed acyclic graphs, 2007): an edge that leads upwards as things stand closes none, and that is
// nearly all of them, whatever the number of locks.
//
// Search. Ways from v back to u are looked for when the edge u -> v is new and closes a cycle, and when a step comes to an edge that
// is part of one. The nodes between are found forwards from v, then backwards from u; ways through these are tried step by step
// against O1 to O3. An edge that closes a cycle only over another one that closed one is found if it is SHORT_WALK edges away.
#include "lock_order.h"

#include "alloc.h"
#include "lock_wait.h"

#include <string.h>

enum {
    INDEX_BITS = 20,
    MAX_LOCKS = 1 << INDEX_BITS,
    MAX_GATES = 12,
    MAX_STEPS = 32,       // kept of an edge
    MAX_WALK = 1 << 17,   // edges looked at by one search
    SHORT_WALK = 1 << 12, // by one that is only about cycles over others
    MAX_TRIES = 20000,    // steps tried by one search
    MAX_EDGES = 4 << 20,
    MAX_FOUND = 4, // cycles found by one new step
    RECENT = 256,
};

typedef struct step {
    struct step *next; // of the edge, newest first
    cspr_who who;
    uint32_t order_id;
    uint64_t order_at;
    cspr_stamp *order; // what was known before it
    cspr_stack held_stack, stack;
    uint8_t held_mode, mode, n_gates;
    uint32_t gates[MAX_GATES]; // 2 * index + mode of all that was held
} step;

typedef struct edge {
    struct edge *next_out, *next_in;
    uint32_t from, to; // indices
    uint32_t n_steps;
    bool closes; // it leads downwards: a cycle was closed by it
    bool cyclic; // it is part of a cycle
    step *steps;
} edge;

typedef struct node {
    const void *lock;
    edge *out, *in;
    uint32_t generation;
    uint32_t rank;                          // edges lead to higher ones, but for those that close
    uint32_t seen_forwards, seen_backwards; // by which search
    bool used, dead;                        // dead: atomic
    bool on_way;
    bool fair, written;
} node;

static cspr_lock graph_lock;
// --- under graph_lock
static node *nodes; // [1, n_nodes]
static uint32_t n_nodes, n_free, n_edges, n_closing, n_ranks, n_searches;
static uint32_t *free_nodes, *queue, *behind, *ranks;
static edge **table; // by (from, to); open addressing
static uint32_t table_size, table_used;
static uint64_t *told; // cycles that were told: a set of keys
static uint32_t n_told, told_size;
// ---
static uint32_t n_dead; // atomic
bool cspr_lock_order_reads;

static uint32_t index_of(cspr_lock_id id)
{
    return id & (MAX_LOCKS - 1);
}

// 0: the lock is no more.
static uint32_t live_index(cspr_lock_id id)
{
    uint32_t i = index_of(id);
    const node *n = &nodes[i];
    return i && n->used && n->generation == id >> INDEX_BITS && !__atomic_load_n(&n->dead, __ATOMIC_RELAXED) ? i : 0;
}

// --- edges -----------------------------------------------------------------------------------------------------------------

static uint32_t slot_of(uint32_t from, uint32_t to)
{
    uint32_t at = (uint32_t)(((uint64_t)from << 32 | to) * 0x9e3779b97f4a7c15ull >> 32) & (table_size - 1);
    while (table[at] && (table[at]->from != from || table[at]->to != to))
        at = (at + 1) & (table_size - 1);
    return at;
}

static void fill_table(uint32_t size)
{
    cspr_free(table, table_size * sizeof(edge *));
    table = cspr_alloc(size * sizeof(edge *));
    table_size = size;
    table_used = 0;
    for (uint32_t i = 1; i <= n_nodes; i++)
        for (edge *e = nodes[i].out; e; e = e->next_out, table_used++)
            table[slot_of(e->from, e->to)] = e;
}

// NULL: there are too many.
static edge *find_or_make_edge(uint32_t from, uint32_t to, bool *is_new)
{
    *is_new = false;
    if (2 * (table_used + 1) > table_size)
        fill_table(table_size ? 2 * table_size : 256);
    uint32_t at = slot_of(from, to);
    if (table[at] || n_edges == MAX_EDGES)
        return table[at];
    edge *e = cspr_alloc(sizeof *e);
    *e = (edge){.next_out = nodes[from].out, .next_in = nodes[to].in, .from = from, .to = to};
    table[at] = nodes[from].out = nodes[to].in = e;
    table_used++;
    n_edges++;
    *is_new = true;
    return e;
}

static void free_edge(edge *e)
{
    for (step *s = e->steps, *next; s; s = next) {
        next = s->next;
        cspr_stamp_unref(s->order);
        cspr_free(s, sizeof *s);
    }
    n_closing -= e->closes;
    cspr_free(e, sizeof *e);
    n_edges--;
}

static bool is_dead(uint32_t i)
{
    return __atomic_load_n(&nodes[i].dead, __ATOMIC_RELAXED); // relaxed: who is told later is told of a lock that was
}

// Takes the edges that begin or end at a dead node out of the lists of live ones, then frees those of the dead.
static void sweep(void)
{
    uint32_t swept = 0;
    for (uint32_t i = 1; i <= n_nodes; i++) {
        if (!nodes[i].used || is_dead(i))
            continue;
        for (edge **e = &nodes[i].out; *e;)
            if (is_dead((*e)->to))
                *e = (*e)->next_out;
            else
                e = &(*e)->next_out;
        for (edge **e = &nodes[i].in, *gone; *e;)
            if (is_dead((*e)->from)) {
                gone = *e;
                *e = gone->next_in;
            } else {
                e = &(*e)->next_in;
            }
    }
    // An edge into a dead node is in that node's list of incoming ones, whatever its other end is; one out of a dead node into a
    // live one only in the list of outgoing ones.
    for (uint32_t i = 1; i <= n_nodes; i++) {
        if (!nodes[i].used || !is_dead(i))
            continue;
        for (edge *e = nodes[i].out, *next; e; e = next) {
            next = e->next_out;
            if (!is_dead(e->to))
                free_edge(e);
        }
    }
    for (uint32_t i = 1; i <= n_nodes; i++) {
        if (!nodes[i].used || !is_dead(i))
            continue;
        for (edge *e = nodes[i].in, *next; e; e = next) {
            next = e->next_in;
            free_edge(e);
        }
        nodes[i] = (node){.generation = (nodes[i].generation + 1) & ((1u << (32 - INDEX_BITS)) - 1)};
        free_nodes[n_free++] = i;
        swept++;
    }
    __atomic_fetch_sub(&n_dead, swept, __ATOMIC_RELAXED); // relaxed: a hint
    fill_table(table_size);
}

cspr_lock_id cspr_lock_id_new(const void *lock)
{
    cspr_lock_acquire(&graph_lock);
    if (!nodes) {
        nodes = cspr_reserve((MAX_LOCKS + 1) * sizeof *nodes);
        free_nodes = cspr_reserve((MAX_LOCKS + 1) * sizeof *free_nodes);
        queue = cspr_reserve((MAX_LOCKS + 1) * sizeof *queue);
        behind = cspr_reserve((MAX_LOCKS + 1) * sizeof *behind);
        ranks = cspr_reserve((MAX_LOCKS + 1) * sizeof *ranks);
    }
    uint32_t i = n_free ? free_nodes[--n_free] : n_nodes < MAX_LOCKS - 1 ? ++n_nodes : 0;
    if (i) {
        nodes[i].lock = lock;
        nodes[i].used = true;
        nodes[i].rank = ++n_ranks;
    }
    cspr_lock_id id = i ? nodes[i].generation << INDEX_BITS | i : 0;
    cspr_lock_release(&graph_lock);
    return id;
}

void cspr_lock_order_gone(cspr_lock_id id)
{
    // Relaxed: the id was in the word that the caller has taken, so the node is this lock's.
    __atomic_store_n(&nodes[index_of(id)].dead, true, __ATOMIC_RELAXED);
    __atomic_fetch_add(&n_dead, 1, __ATOMIC_RELAXED); // relaxed: a hint
}

// --- the order of nodes -------------------------------------------------------------------------------------------------------

// What can be reached from `first` without leaving the ranks between, in list, with its number. `avoid` is reached: 0.
static uint32_t gather(uint32_t first, uint32_t avoid, bool backwards, uint32_t bound, uint32_t *list)
{
    uint32_t head = 0, tail = 0;
    nodes[first].seen_forwards = n_searches;
    list[tail++] = first;
    while (head < tail) {
        const node *n = &nodes[list[head++]];
        for (const edge *e = backwards ? n->in : n->out; e; e = backwards ? e->next_in : e->next_out) {
            uint32_t i = backwards ? e->from : e->to;
            node *other = &nodes[i];
            if (e->closes || other->seen_forwards == n_searches ||
                (backwards ? other->rank < bound : other->rank > bound))
                continue;
            if (i == avoid)
                return 0;
            other->seen_forwards = n_searches;
            list[tail++] = i;
        }
    }
    return tail;
}

static uint64_t rank_of(uint32_t i)
{
    return nodes[i].rank;
}

static uint64_t value_of(uint32_t i)
{
    return i;
}

// Shell's: no function of libc, no recursion.
static void sort(uint32_t *list, uint32_t n, uint64_t (*key)(uint32_t))
{
    for (uint32_t gap = n / 2; gap; gap /= 2)
        for (uint32_t i = gap; i < n; i++)
            for (uint32_t k = i; k >= gap && key(list[k]) < key(list[k - gap]); k -= gap) {
                uint32_t other = list[k];
                list[k] = list[k - gap];
                list[k - gap] = other;
            }
}

// Gives ranks so that u is below v: all that leads to u, then all that v leads to, share the ranks they have. False: v leads to u.
static bool put_in_order(uint32_t u, uint32_t v)
{
    if (nodes[u].rank < nodes[v].rank)
        return true;
    n_searches++;
    uint32_t n_after = gather(v, u, false, nodes[u].rank, queue);
    if (!n_after)
        return false;
    uint32_t n_before = gather(u, v, true, nodes[v].rank, behind), n = n_before + n_after;
    sort(behind, n_before, rank_of);
    sort(queue, n_after, rank_of);
    for (uint32_t i = 0; i < n_after; i++)
        behind[n_before + i] = queue[i];
    for (uint32_t i = 0; i < n; i++)
        ranks[i] = nodes[behind[i]].rank;
    sort(ranks, n, value_of);
    for (uint32_t i = 0; i < n; i++)
        nodes[behind[i]].rank = ranks[i];
    return true;
}

// --- steps -----------------------------------------------------------------------------------------------------------------

static bool share_gate(const step *a, const step *b)
{
    for (uint32_t i = 0; i < a->n_gates; i++)
        for (uint32_t k = 0; k < b->n_gates; k++)
            if (a->gates[i] / 2 == b->gates[k] / 2 && !(a->gates[i] & b->gates[k] & CSP_LOCK_READ))
                return true;
    return false;
}

static bool knows(const step *a, const step *b)
{
    return cspr_stamp_get(a->order, b->order_id) >= b->order_at;
}

// O1, O2, and not by one task.
static bool can_meet(const step *a, const step *b)
{
    return a->who != b->who && !share_gate(a, b) && !knows(a, b) && !knows(b, a);
}

// O3: `into` wants the lock of node i, `out` holds it.
static bool can_block(uint32_t i, const step *into, const step *out)
{
    if (into->mode == CSP_LOCK_WRITE || out->held_mode == CSP_LOCK_WRITE)
        return true;
    return nodes[i].fair && nodes[i].written;
}

static bool is_same(const step *a, const step *b)
{
    return a->who == b->who && a->held_stack == b->held_stack && a->stack == b->stack && a->held_mode == b->held_mode &&
           a->mode == b->mode && a->n_gates == b->n_gates && !memcmp(a->gates, b->gates, a->n_gates * sizeof *a->gates);
}

// The edge's step like s, now at s's time. The oldest makes room.
static step *keep_step(edge *e, const step *s)
{
    step **link = &e->steps, *kept = NULL;
    for (; *link; link = &(*link)->next)
        if (is_same(*link, s) || (e->n_steps >= MAX_STEPS && !(*link)->next)) {
            kept = *link;
            *link = kept->next;
            cspr_stamp_unref(kept->order);
            break;
        }
    if (!kept) {
        kept = cspr_alloc(sizeof *kept);
        e->n_steps++;
    }
    *kept = *s;
    cspr_stamp_ref(s->order);
    kept->next = e->steps;
    e->steps = kept;
    return kept;
}

// --- cycles ----------------------------------------------------------------------------------------------------------------

// Marks what can be reached from `first`, against the edges if backwards, within what the forward walk marked. True: `goal` can.
static bool walk(uint32_t first, uint32_t goal, bool backwards, uint32_t limit, uint32_t *n_reached)
{
    uint32_t head = 0, tail = 0, looked = 0;
    uint32_t *seen = backwards ? &nodes[first].seen_backwards : &nodes[first].seen_forwards;
    *seen = n_searches;
    queue[tail++] = first;
    bool found = false;
    while (head < tail && looked < limit) {
        const node *n = &nodes[queue[head++]];
        for (const edge *e = backwards ? n->in : n->out; e && looked < limit;
             e = backwards ? e->next_in : e->next_out) {
            uint32_t i = backwards ? e->from : e->to;
            node *other = &nodes[i];
            looked++;
            seen = backwards ? &other->seen_backwards : &other->seen_forwards;
            if (*seen == n_searches || is_dead(i) || (backwards && other->seen_forwards != n_searches))
                continue;
            *seen = n_searches;
            found |= i == goal;
            queue[tail++] = i;
        }
    }
    *n_reached = tail;
    return found;
}

typedef struct search {
    uint32_t goal;
    unsigned tries, n_found;
    size_t n;
    const edge *edges[CSPR_MAX_CYCLE];
    const step *steps[CSPR_MAX_CYCLE];
    cspr_lock_steps found[MAX_FOUND];
} search;

static bool fits(search *s, const edge *e, const step *next)
{
    if (++s->tries > MAX_TRIES || !can_block(e->from, s->steps[s->n - 1], next))
        return false;
    for (size_t i = 0; i < s->n; i++)
        if (!can_meet(s->steps[i], next))
            return false;
    return e->to != s->goal || can_block(s->goal, next, s->steps[0]);
}

static bool insert_told(uint64_t key);

static void fill_told(uint32_t size)
{
    uint64_t *old = told;
    uint32_t old_size = told_size;
    told = cspr_alloc(size * sizeof *told);
    told_size = size;
    n_told = 0;
    for (uint32_t i = 0; i < old_size; i++)
        if (old[i])
            insert_told(old[i]);
    cspr_free(old, old_size * sizeof *old);
}

// False: it is there.
static bool insert_told(uint64_t key)
{
    if (2 * n_told >= told_size)
        fill_told(told_size ? 2 * told_size : 64);
    uint32_t at = (uint32_t)(key >> 20) & (told_size - 1);
    for (; told[at]; at = (at + 1) & (told_size - 1))
        if (told[at] == key)
            return false;
    told[at] = key;
    n_told++;
    return true;
}

static uint64_t mix(uint64_t a, uint64_t b)
{
    a = (a ^ b) * 0xff51afd7ed558ccdull;
    return a ^ a >> 32;
}

// The same locks in the same order are one cycle, whoever takes them and wherever it begins.
static uint64_t key_of(const search *s)
{
    uint64_t key = 0;
    for (size_t i = 0; i < s->n; i++) {
        const node *from = &nodes[s->edges[i]->from], *to = &nodes[s->edges[i]->to];
        key += mix(mix(s->edges[i]->from, from->generation), mix(s->edges[i]->to, to->generation) + 1);
    }
    return key | 1;
}

static void note_cycle(search *s)
{
    if (s->n_found == MAX_FOUND || !insert_told(key_of(s)))
        return;
    cspr_lock_steps *c = &s->found[s->n_found++];
    c->n = s->n;
    for (size_t i = 0; i < s->n; i++)
        c->of[i] = (cspr_lock_step){
            nodes[s->edges[i]->from].lock, nodes[s->edges[i]->to].lock, s->steps[i]->held_mode, s->steps[i]->mode,
            s->steps[i]->held_stack,       s->steps[i]->stack,          s->steps[i]->who};
}

static void try_ways(search *s, uint32_t at)
{
    for (const edge *e = nodes[at].out; e && s->tries <= MAX_TRIES; e = e->next_out) {
        node *to = &nodes[e->to];
        if (to->seen_backwards != n_searches || to->on_way || s->n == CSPR_MAX_CYCLE)
            continue;
        for (const step *next = e->steps; next && s->n_found < MAX_FOUND; next = next->next) {
            if (!fits(s, e, next))
                continue;
            s->edges[s->n] = e;
            s->steps[s->n++] = next;
            if (e->to == s->goal) {
                note_cycle(s);
            } else {
                to->on_way = true;
                try_ways(s, e->to);
                to->on_way = false;
            }
            s->n--;
            if (e->to == s->goal)
                break; // one is enough of the same locks
        }
    }
}

// Cycles that the step of this edge is part of.
static void find_cycles(search *s, const edge *e, const step *made, uint32_t limit)
{
    uint32_t n;
    if (!nodes[e->to].out || !nodes[e->from].in || is_dead(e->to) || is_dead(e->from))
        return;
    n_searches++;
    if (!walk(e->to, e->from, false, limit, &n) || !walk(e->from, e->to, true, MAX_WALK, &n))
        return;
    for (uint32_t i = 0; i < n; i++)
        for (edge *between = nodes[queue[i]].out; between; between = between->next_out)
            between->cyclic |= nodes[between->to].seen_backwards == n_searches;
    s->goal = e->from;
    s->tries = 0;
    s->n = 1;
    s->edges[0] = e;
    s->steps[0] = made;
    nodes[e->to].on_way = true;
    try_ways(s, e->to);
    nodes[e->to].on_way = false;
}

// --- taking a lock -------------------------------------------------------------------------------------------------------------

typedef struct recent {
    cspr_lock_id from, to;
    cspr_who who;
    cspr_stack held_stack, stack;
    uint32_t modes; // no padding: compared as bytes
    uint64_t at, gates;
} recent;
_Static_assert(sizeof(recent) == 6 * sizeof(uint32_t) + 2 * sizeof(uint64_t), "no padding");

static __thread recent *recents __attribute__((tls_model("initial-exec")));

// A step that this task made in this stretch already. Else it is noted as made.
static bool is_recent(const recent *r)
{
    if (!recents)
        recents = cspr_alloc(RECENT * sizeof *recents);
    recent *slot = &recents[mix(mix(r->from, r->to), r->who) % RECENT];
    if (!memcmp(slot, r, sizeof *r))
        return true;
    *slot = *r;
    return false;
}

static bool holds(const cspr_task *t, const void *lock)
{
    for (uint32_t i = 0; i < t->n_held; i++)
        if (t->held[i].lock == lock)
            return true;
    return false;
}

// The time of a step: one for all that is done between two publications.
static void open_order(cspr_task *t)
{
    static uint32_t n_ids; // atomic
    if (t->order_open)
        return;
    if (!t->order_id)
        t->order_id = __atomic_add_fetch(&n_ids, 1, __ATOMIC_RELAXED); // relaxed: distinct is enough
    t->order_at++;
    t->order_open = true;
}

// What is held is filled into the step, but from->held_lock and the like. Locks that are handed on do not count.
static void fill_gates(cspr_task *t, cspr_lock_id *ids, step *s)
{
    for (uint32_t i = 0; i < t->n_held; i++) {
        if (!t->held[i].id)
            t->held[i].id = cspr_lock_id_of(t->held[i].lock, true);
        ids[i] = cspr_lock_is_handed(t->held[i].lock) ? 0 : t->held[i].id;
        if (ids[i] && s->n_gates < MAX_GATES)
            s->gates[s->n_gates++] = index_of(ids[i]) * 2 + (unsigned)(t->held[i].mode & CSP_LOCK_READ);
    }
}

static uint64_t hash_gates(const step *s)
{
    uint64_t hash = s->n_gates;
    for (uint32_t i = 0; i < s->n_gates; i++)
        hash = mix(hash, s->gates[i]);
    return hash;
}

static void take_step(search *found, cspr_lock_id from, cspr_lock_id to, const step *s, bool fair)
{
    cspr_lock_acquire(&graph_lock);
    if (__atomic_load_n(&n_dead, __ATOMIC_RELAXED) > 64 + n_nodes / 2) // relaxed: a hint
        sweep();
    uint32_t u = live_index(from), v = live_index(to);
    bool is_new = false;
    edge *e = u && v && u != v ? find_or_make_edge(u, v, &is_new) : NULL;
    if (e) {
        nodes[v].fair |= fair;
        if (fair && s->mode == CSP_LOCK_READ)
            __atomic_store_n(&cspr_lock_order_reads, true, __ATOMIC_RELAXED); // relaxed: a hint for later writers
        nodes[v].written |= s->mode == CSP_LOCK_WRITE;
        const step *made = keep_step(e, s);
        if (is_new && !put_in_order(u, v)) {
            e->closes = true;
            n_closing++;
        }
        if (e->closes || e->cyclic)
            find_cycles(found, e, made, MAX_WALK);
        else if (is_new && n_closing)
            find_cycles(found, e, made, SHORT_WALK);
    }
    cspr_lock_release(&graph_lock);
}

static void tell(const search *found)
{
    for (unsigned i = 0; i < found->n_found; i++)
        cspr_report_lock_order(&found->found[i]);
}

void cspr_lock_order_taken(cspr_task *t, const void *lock, int mode, cspr_stack stack)
{
    cspr_lock_id ids[CSPR_MAX_HELD], to;
    if (holds(t, lock) || cspr_lock_is_handed(lock) || !(to = cspr_lock_id_of(lock, true)))
        return;
    open_order(t);
    step s = {.who = t->who,
              .order_id = t->order_id,
              .order_at = t->order_at,
              .order = t->order,
              .stack = stack,
              .mode = mode & CSP_LOCK_READ};
    search found = {0};
    fill_gates(t, ids, &s);
    for (uint32_t i = 0; i < t->n_held; i++) {
        s.held_stack = t->held[i].stack;
        s.held_mode = t->held[i].mode & CSP_LOCK_READ;
        recent r = {ids[i], to, t->who, s.held_stack, stack, s.mode + 2u * s.held_mode, s.order_at, hash_gates(&s)};
        if (ids[i] && !is_recent(&r))
            take_step(&found, ids[i], to, &s, mode & CSPR_LOCK_FAIR);
    }
    tell(&found);
}

void cspr_lock_order_wrote(cspr_lock_id id, cspr_task *t)
{
    search found = {0};
    (void)t;
    cspr_lock_acquire(&graph_lock);
    uint32_t i = live_index(id);
    if (i && !nodes[i].written) {
        nodes[i].written = true;
        for (const edge *e = nodes[i].in; e; e = e->next_in)
            for (const step *s = e->steps; s && found.n_found < MAX_FOUND; s = s->next)
                find_cycles(&found, e, s, MAX_WALK);
    }
    cspr_lock_release(&graph_lock);
    tell(&found);
}

void cspr_lock_order_fork_lock(bool take)
{
    cspr_lock_for_fork(&graph_lock, take);
}
