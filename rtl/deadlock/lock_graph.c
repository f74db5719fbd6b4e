// lock_graph.c - the graph of locks: nodes, edges, and the order of nodes.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Nodes are numbered so that edges lead upwards, but for those that closed a cycle when they came (Pearce and Kelly, A dynamic
// topological sort algorithm for directed acyclic graphs, 2007): an edge that leads upwards as things stand closes none, and that is
// nearly all of them, whatever the number of locks.
#include "deadlock/lock_graph.h"

#include "support/alloc.h"

enum { MAX_EDGES = 4 << 20 };

typedef cspr_node node;
typedef cspr_edge edge;
typedef cspr_step step;

cspr_lock cspr_lock_graph_lock;
// --- under that lock
cspr_node *cspr_lock_nodes;
uint32_t *cspr_lock_queue, cspr_lock_searches;
static uint32_t n_nodes, n_free, n_edges, n_closing, n_ranks;
static uint32_t *free_nodes, *behind, *ranks;
static edge **table; // by (from, to); open addressing
static uint32_t table_size, table_used;
// ---
static uint32_t n_dead; // atomic

// 0: the lock is no more.
uint32_t cspr_lock_live_index(cspr_lock_id id)
{
    uint32_t i = cspr_lock_index(id);
    const node *n = &cspr_lock_nodes[i];
    return i && n->used && n->generation == id >> CSPR_LOCK_INDEX_BITS && !cspr_lock_node_is_dead(i) ? i : 0;
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
        for (edge *e = cspr_lock_nodes[i].out; e; e = e->next_out, table_used++)
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
    *e = (edge){.next_out = cspr_lock_nodes[from].out, .next_in = cspr_lock_nodes[to].in, .from = from, .to = to};
    table[at] = cspr_lock_nodes[from].out = cspr_lock_nodes[to].in = e;
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

// Takes the edges that begin or end at a dead node out of the lists of live ones, then frees those of the dead.
void cspr_lock_graph_sweep(void)
{
    uint32_t swept = 0;
    if (__atomic_load_n(&n_dead, __ATOMIC_RELAXED) <= 64 + n_nodes / 2) // relaxed: a hint
        return;
    for (uint32_t i = 1; i <= n_nodes; i++) {
        if (!cspr_lock_nodes[i].used || cspr_lock_node_is_dead(i))
            continue;
        for (edge **e = &cspr_lock_nodes[i].out; *e;)
            if (cspr_lock_node_is_dead((*e)->to))
                *e = (*e)->next_out;
            else
                e = &(*e)->next_out;
        for (edge **e = &cspr_lock_nodes[i].in, *gone; *e;)
            if (cspr_lock_node_is_dead((*e)->from)) {
                gone = *e;
                *e = gone->next_in;
            } else {
                e = &(*e)->next_in;
            }
    }
    // An edge into a dead node is in that node's list of incoming ones, whatever its other end is; one out of a dead node into a
    // live one only in the list of outgoing ones.
    for (uint32_t i = 1; i <= n_nodes; i++) {
        if (!cspr_lock_nodes[i].used || !cspr_lock_node_is_dead(i))
            continue;
        for (edge *e = cspr_lock_nodes[i].out, *next; e; e = next) {
            next = e->next_out;
            if (!cspr_lock_node_is_dead(e->to))
                free_edge(e);
        }
    }
    for (uint32_t i = 1; i <= n_nodes; i++) {
        if (!cspr_lock_nodes[i].used || !cspr_lock_node_is_dead(i))
            continue;
        for (edge *e = cspr_lock_nodes[i].in, *next; e; e = next) {
            next = e->next_in;
            free_edge(e);
        }
        cspr_lock_nodes[i] =
            (node){.generation = (cspr_lock_nodes[i].generation + 1) & ((1u << (32 - CSPR_LOCK_INDEX_BITS)) - 1)};
        free_nodes[n_free++] = i;
        swept++;
    }
    __atomic_fetch_sub(&n_dead, swept, __ATOMIC_RELAXED); // relaxed: a hint
    fill_table(table_size);
}

cspr_lock_id cspr_lock_id_new(const void *lock)
{
    cspr_lock_acquire(&cspr_lock_graph_lock);
    if (!cspr_lock_nodes) {
        cspr_lock_nodes = cspr_reserve((CSPR_MAX_LOCKS + 1) * sizeof *cspr_lock_nodes);
        free_nodes = cspr_reserve((CSPR_MAX_LOCKS + 1) * sizeof *free_nodes);
        cspr_lock_queue = cspr_reserve((CSPR_MAX_LOCKS + 1) * sizeof *cspr_lock_queue);
        behind = cspr_reserve((CSPR_MAX_LOCKS + 1) * sizeof *behind);
        ranks = cspr_reserve((CSPR_MAX_LOCKS + 1) * sizeof *ranks);
    }
    uint32_t i = n_free ? free_nodes[--n_free] : n_nodes < CSPR_MAX_LOCKS - 1 ? ++n_nodes : 0;
    if (i) {
        cspr_lock_nodes[i].lock = lock;
        cspr_lock_nodes[i].used = true;
        cspr_lock_nodes[i].rank = ++n_ranks;
    }
    cspr_lock_id id = i ? cspr_lock_nodes[i].generation << CSPR_LOCK_INDEX_BITS | i : 0;
    cspr_lock_release(&cspr_lock_graph_lock);
    return id;
}

void cspr_lock_order_gone(cspr_lock_id id)
{
    // Relaxed: the id was in the word that the caller has taken, so the node is this lock's.
    __atomic_store_n(&cspr_lock_nodes[cspr_lock_index(id)].dead, true, __ATOMIC_RELAXED);
    __atomic_fetch_add(&n_dead, 1, __ATOMIC_RELAXED); // relaxed: a hint
}

// --- the order of nodes -------------------------------------------------------------------------------------------------------

// What can be reached from `first` without leaving the ranks between, in list, with its number. `avoid` is reached: 0.
static uint32_t gather(uint32_t first, uint32_t avoid, bool backwards, uint32_t bound, uint32_t *list)
{
    uint32_t head = 0, tail = 0;
    cspr_lock_nodes[first].seen_forwards = cspr_lock_searches;
    list[tail++] = first;
    while (head < tail) {
        const node *n = &cspr_lock_nodes[list[head++]];
        for (const edge *e = backwards ? n->in : n->out; e; e = backwards ? e->next_in : e->next_out) {
            uint32_t i = backwards ? e->from : e->to;
            node *other = &cspr_lock_nodes[i];
            if (e->closes || other->seen_forwards == cspr_lock_searches ||
                (backwards ? other->rank < bound : other->rank > bound))
                continue;
            if (i == avoid)
                return 0;
            other->seen_forwards = cspr_lock_searches;
            list[tail++] = i;
        }
    }
    return tail;
}

static uint64_t rank_of(uint32_t i)
{
    return cspr_lock_nodes[i].rank;
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
    if (cspr_lock_nodes[u].rank < cspr_lock_nodes[v].rank)
        return true;
    cspr_lock_searches++;
    uint32_t n_after = gather(v, u, false, cspr_lock_nodes[u].rank, cspr_lock_queue);
    if (!n_after)
        return false;
    uint32_t n_before = gather(u, v, true, cspr_lock_nodes[v].rank, behind), n = n_before + n_after;
    sort(behind, n_before, rank_of);
    sort(cspr_lock_queue, n_after, rank_of);
    for (uint32_t i = 0; i < n_after; i++)
        behind[n_before + i] = cspr_lock_queue[i];
    for (uint32_t i = 0; i < n; i++)
        ranks[i] = cspr_lock_nodes[behind[i]].rank;
    sort(ranks, n, value_of);
    for (uint32_t i = 0; i < n; i++)
        cspr_lock_nodes[behind[i]].rank = ranks[i];
    return true;
}

cspr_edge *cspr_lock_edge(uint32_t from, uint32_t to, bool *is_new)
{
    edge *e = find_or_make_edge(from, to, is_new);
    if (*is_new && !put_in_order(from, to)) {
        e->closes = true;
        n_closing++;
    }
    return e;
}

uint32_t cspr_lock_closing(void)
{
    return n_closing;
}
