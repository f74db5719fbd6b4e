// lock_graph.h - the graph of locks: an edge A -> B says that B was taken while A was held, and by which steps.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_RTL_LOCK_GRAPH_H
#define CSP_RTL_LOCK_GRAPH_H

#include "deadlock/lock_order.h"

enum {
    CSPR_LOCK_INDEX_BITS = 20,
    CSPR_MAX_LOCKS = 1 << CSPR_LOCK_INDEX_BITS,
    CSPR_MAX_GATES = 12,
};

typedef struct cspr_step {
    struct cspr_step *next; // of the edge, newest first
    cspr_who who;
    uint32_t order_id;
    uint64_t order_at;
    cspr_stamp *order; // what was known before it
    cspr_stack held_stack, stack;
    uint8_t held_mode, mode, n_gates;
    uint32_t gates[CSPR_MAX_GATES]; // 2 * index + mode of all that was held
} cspr_step;

typedef struct cspr_edge {
    struct cspr_edge *next_out, *next_in;
    uint32_t from, to; // indices
    uint32_t n_steps;
    bool closes; // it leads downwards: a cycle was closed by it
    bool cyclic; // it is part of a cycle
    cspr_step *steps;
} cspr_edge;

typedef struct cspr_node {
    const void *lock;
    cspr_edge *out, *in;
    uint32_t generation;
    uint32_t rank;                          // edges lead to higher ones, but for those that close
    uint32_t seen_forwards, seen_backwards; // by which search
    bool used, dead;                        // dead: atomic
    bool on_way;
    bool fair, written;
} cspr_node;

extern cspr_lock cspr_lock_graph_lock;
// --- under that lock
extern cspr_node *cspr_lock_nodes;  // [1, CSPR_MAX_LOCKS)
extern uint32_t *cspr_lock_queue;   // room for walks
extern uint32_t cspr_lock_searches; // how many walks there were: marks of nodes are compared with it

static inline uint32_t cspr_lock_index(cspr_lock_id id)
{
    return id & (CSPR_MAX_LOCKS - 1);
}

static inline bool cspr_lock_node_is_dead(uint32_t i)
{
    return __atomic_load_n(&cspr_lock_nodes[i].dead,
                           __ATOMIC_RELAXED); // relaxed: who is told later is told of a lock that was
}

// 0: the lock is no more.
uint32_t cspr_lock_live_index(cspr_lock_id id);
// Frees what belongs to locks that are gone, when there are many of them.
void cspr_lock_graph_sweep(void);
// The edge, which is numbered when it is new: closes is set if it closes a cycle then. NULL: there are too many.
cspr_edge *cspr_lock_edge(uint32_t from, uint32_t to, bool *is_new);
uint32_t cspr_lock_closing(void); // edges that close a cycle

#endif
