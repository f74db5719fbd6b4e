// lock_order.c - the orders in which locks are taken, and cycles among them.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Each edge of the graph (lock_graph.h) keeps its steps: one per task, pair of stacks and set of gates, the latest of these,
// since who is ordered after the latest is after all. A step that was made before in the same stretch of its task (nothing
// published since, but by locks) says nothing new, and is recognised without the graph (`recent`).
//
// Search. Ways from v back to u are looked for when the edge u -> v is new and closes a cycle, and when a step comes to an edge that
// is part of one. The nodes between are found forwards from v, then backwards from u; ways through these are tried step by step
// against O1 to O3. An edge that closes a cycle only over another one that closed one is found if it is SHORT_WALK edges away.
#include "deadlock/lock_order.h"

#include "deadlock/lock_graph.h"
#include "deadlock/lock_wait.h"
#include "support/alloc.h"

#include <string.h>

enum {
    MAX_STEPS = 32,       // kept of an edge
    MAX_WALK = 1 << 17,   // edges looked at by one search
    SHORT_WALK = 1 << 12, // by one that is only about cycles over others
    MAX_TRIES = 20000,    // steps tried by one search
    MAX_FOUND = 4,        // cycles found by one new step
    RECENT = 256,
};

typedef cspr_node node;
typedef cspr_edge edge;
typedef cspr_step step;

// --- under cspr_lock_graph_lock
static uint64_t *told; // cycles that were told: a set of keys
static uint32_t n_told, told_size;
// ---
bool cspr_lock_order_reads;

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
    return cspr_lock_nodes[i].fair && cspr_lock_nodes[i].written;
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
    uint32_t *seen = backwards ? &cspr_lock_nodes[first].seen_backwards : &cspr_lock_nodes[first].seen_forwards;
    *seen = cspr_lock_searches;
    cspr_lock_queue[tail++] = first;
    bool found = false;
    while (head < tail && looked < limit) {
        const node *n = &cspr_lock_nodes[cspr_lock_queue[head++]];
        for (const edge *e = backwards ? n->in : n->out; e && looked < limit;
             e = backwards ? e->next_in : e->next_out) {
            uint32_t i = backwards ? e->from : e->to;
            node *other = &cspr_lock_nodes[i];
            looked++;
            seen = backwards ? &other->seen_backwards : &other->seen_forwards;
            if (*seen == cspr_lock_searches || cspr_lock_node_is_dead(i) ||
                (backwards && other->seen_forwards != cspr_lock_searches))
                continue;
            *seen = cspr_lock_searches;
            found |= i == goal;
            cspr_lock_queue[tail++] = i;
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
        const node *from = &cspr_lock_nodes[s->edges[i]->from], *to = &cspr_lock_nodes[s->edges[i]->to];
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
        c->of[i] = (cspr_lock_step){cspr_lock_nodes[s->edges[i]->from].lock,
                                    cspr_lock_nodes[s->edges[i]->to].lock,
                                    s->steps[i]->held_mode,
                                    s->steps[i]->mode,
                                    s->steps[i]->held_stack,
                                    s->steps[i]->stack,
                                    s->steps[i]->who};
}

static void try_ways(search *s, uint32_t at)
{
    for (const edge *e = cspr_lock_nodes[at].out; e && s->tries <= MAX_TRIES; e = e->next_out) {
        node *to = &cspr_lock_nodes[e->to];
        if (to->seen_backwards != cspr_lock_searches || to->on_way || s->n == CSPR_MAX_CYCLE)
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
    if (!cspr_lock_nodes[e->to].out || !cspr_lock_nodes[e->from].in || cspr_lock_node_is_dead(e->to) ||
        cspr_lock_node_is_dead(e->from))
        return;
    cspr_lock_searches++;
    if (!walk(e->to, e->from, false, limit, &n) || !walk(e->from, e->to, true, MAX_WALK, &n))
        return;
    for (uint32_t i = 0; i < n; i++)
        for (edge *between = cspr_lock_nodes[cspr_lock_queue[i]].out; between; between = between->next_out)
            between->cyclic |= cspr_lock_nodes[between->to].seen_backwards == cspr_lock_searches;
    s->goal = e->from;
    s->tries = 0;
    s->n = 1;
    s->edges[0] = e;
    s->steps[0] = made;
    cspr_lock_nodes[e->to].on_way = true;
    try_ways(s, e->to);
    cspr_lock_nodes[e->to].on_way = false;
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

void cspr_lock_order_thread_ends(void)
{
    cspr_free(recents, RECENT * sizeof *recents);
    recents = NULL;
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
        if (ids[i] && s->n_gates < CSPR_MAX_GATES)
            s->gates[s->n_gates++] = cspr_lock_index(ids[i]) * 2 + (unsigned)(t->held[i].mode & CSP_LOCK_READ);
    }
}

static uint64_t hash_gates(const step *s)
{
    uint64_t hash = s->n_gates;
    for (uint32_t i = 0; i < s->n_gates; i++)
        hash = mix(hash, s->gates[i]);
    return hash;
}

static void tell(const search *found)
{
    for (unsigned i = 0; i < found->n_found; i++)
        cspr_report_lock_order(&found->found[i]);
}

// Not part of its caller: a search is too large for a coroutine's stack to have below every lock that is taken.
CSPR_NOINLINE static void take_step(cspr_lock_id from, cspr_lock_id to, const step *s, bool fair)
{
    search found;
    found.n_found = 0;
    cspr_lock_acquire(&cspr_lock_graph_lock);
    cspr_lock_graph_sweep();
    uint32_t u = cspr_lock_live_index(from), v = cspr_lock_live_index(to);
    bool is_new = false;
    edge *e = u && v && u != v ? cspr_lock_edge(u, v, &is_new) : NULL;
    if (e) {
        node *to_node = &cspr_lock_nodes[v];
        to_node->fair |= fair;
        if (fair && s->mode == CSP_LOCK_READ)
            __atomic_store_n(&cspr_lock_order_reads, true, __ATOMIC_RELAXED); // relaxed: a hint for later writers
        to_node->written |= s->mode == CSP_LOCK_WRITE;
        const step *made = keep_step(e, s);
        if (e->closes || e->cyclic)
            find_cycles(&found, e, made, MAX_WALK);
        else if (is_new && cspr_lock_closing())
            find_cycles(&found, e, made, SHORT_WALK);
    }
    cspr_lock_release(&cspr_lock_graph_lock);
    tell(&found);
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
    fill_gates(t, ids, &s);
    for (uint32_t i = 0; i < t->n_held; i++) {
        s.held_stack = t->held[i].stack;
        s.held_mode = t->held[i].mode & CSP_LOCK_READ;
        recent r = {ids[i], to, t->who, s.held_stack, stack, s.mode + 2u * s.held_mode, s.order_at, hash_gates(&s)};
        if (ids[i] && !is_recent(&r))
            take_step(ids[i], to, &s, mode & CSPR_LOCK_FAIR);
    }
}

void cspr_lock_order_wrote(cspr_lock_id id, cspr_task *t)
{
    search found;
    (void)t;
    found.n_found = 0;
    cspr_lock_acquire(&cspr_lock_graph_lock);
    uint32_t i = cspr_lock_live_index(id);
    if (i && !cspr_lock_nodes[i].written) {
        cspr_lock_nodes[i].written = true;
        for (const edge *e = cspr_lock_nodes[i].in; e; e = e->next_in)
            for (const step *s = e->steps; s && found.n_found < MAX_FOUND; s = s->next)
                find_cycles(&found, e, s, MAX_WALK);
    }
    cspr_lock_release(&cspr_lock_graph_lock);
    tell(&found);
}

void cspr_lock_order_fork_lock(bool take)
{
    cspr_lock_for_fork(&cspr_lock_graph_lock, take);
}
