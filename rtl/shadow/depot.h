// depot.h - calling contexts and stack ids, interned: equal ones have equal ids, and none is ever forgotten (rules A2, C1).
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//   node      (parent node, return address): one calling context. 0 is the root: the first function of a task.
//   stack id  one of   (node, pc)                                    an access
//                      (old id, old mask, new id, new mask)          an epoch's bytes that came from different places
//                      (write's id, read's id, mask)                 a write of which another epoch read some bytes
//                      (alloc or free, id)                           what the allocator did to a block
//                      (tls, id)                                     an access to the OS thread's own thread-local block
//                      (lock set, id)                                an access made while these locks were held
//   lock set  (older set, lock), lock = (address, mode, stack of its taking): 0 is none. Of an id that is tagged as well the
//             tag is outside. What an epoch holds changes while it runs (taking a lock does not end it), so the set belongs
//             to the access, not to its epoch.
// Ids below cspr_depot_cell_limit fit a cell; larger ones are recorded aside.
#ifndef CSP_RTL_DEPOT_H
#define CSP_RTL_DEPOT_H

#include "rtl.h"

typedef enum cspr_stack_tag { CSPR_TAG_NONE, CSPR_TAG_ALLOC, CSPR_TAG_FREE, CSPR_TAG_TLS } cspr_stack_tag;

extern uint32_t cspr_depot_cell_limit; // smaller in tests

void cspr_depot_init(void);
// The context of `ret` called from parent; recursion is folded.
uint32_t cspr_depot_node(uint32_t parent, uintptr_t ret);
cspr_stack cspr_depot_stack(uint32_t node, uintptr_t pc);
// The bytes of old_mask were accessed with stack old, those of new_mask with new; the masks are disjoint.
cspr_stack cspr_depot_composite(cspr_stack old, unsigned old_mask, cspr_stack fresh, unsigned new_mask);
// Of the bytes written with stack `written` those of mask were read with stack `read`; and the two again (*written: in and out;
// mask 0: it is no such id).
cspr_stack cspr_depot_read_over(cspr_stack written, cspr_stack read, unsigned mask);
cspr_stack cspr_depot_take_read(cspr_stack *written, unsigned *mask);
cspr_stack cspr_depot_tagged(cspr_stack inner, cspr_stack_tag tag);
// free's stack with that of the block's allocation, and the latter again (0: not known).
cspr_stack cspr_depot_freed(cspr_stack inner, cspr_stack allocation);
cspr_stack cspr_depot_allocation(cspr_stack freed);

// The id that stands for the lowest byte of mask; *covers: all bytes of `within` it stands for, that one included.
cspr_stack cspr_depot_component(cspr_stack s, unsigned mask, unsigned within, unsigned *covers);
cspr_stack_tag cspr_depot_untag(cspr_stack *s);
// The set with one more lock, in the order they were taken. Sets are remembered for ever; above CSPR_MAX_LOCK_SETS of them and
// of what was done under them new ones are not, and the stacks say nothing of locks.
enum { CSPR_MAX_LOCK_SETS = 4 << 20 };
uint32_t cspr_depot_lock_set(uint32_t older, const cspr_held *lock);
cspr_stack cspr_depot_locked(cspr_stack inner, uint32_t lock_set);
// Takes the lock set off the stack; returns how many locks it had, the newest `max` of them in out, newest last.
size_t cspr_depot_unlock(cspr_stack *s, cspr_held *out, size_t max);
bool cspr_depot_is_tls(cspr_stack s);

// The node of the newest frame record; names records that have none yet. Caller is on the stack the records live on.
uint32_t cspr_depot_node_of(csp_frame *top);
// cspr_stack_here for callers already inside the detector.
cspr_stack cspr_depot_here(void *pc, void *leaf_ret);
// The same under these locks, not 0.
cspr_stack cspr_depot_here_locked(void *pc, void *leaf_ret, uint32_t lock_set);
// A release that the function of the newest record makes (leaf_pc: which its caller makes at that place): `by` is what it was, or
// a place in the function that made it. Its frames are `by` and the stack of the caller.
typedef enum cspr_by {
    CSPR_BY_CALL = 1, // of some function
    CSPR_BY_GO,
    CSPR_BY_THREAD,
    CSPR_BY_SEND,
    CSPR_BY_RECV,
    CSPR_BY_CLOSE,
    CSPR_BY_UNLOCK,
    CSPR_BY_ATOMIC,
    CSPR_BY_FENCE,
    CSPR_BY_TIMER,
    CSPR_BY_END,
    CSPR_BY_KINDS
} cspr_by;
cspr_stack cspr_depot_release(csp_frame *top, void *leaf_pc, uintptr_t by);
// As cspr_stack_here, for a task that does not run: pc in the function of its newest record.
cspr_stack cspr_depot_parked(csp_frame *top, void *pc);

void cspr_depot_fork_lock(bool take); // holds the tables still while the process forks (shadow.c)
uint64_t cspr_depot_nodes(void);      // for stats
uint64_t cspr_depot_stacks(void);

#endif
