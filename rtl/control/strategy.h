// strategy.h - which task goes on at a choice point: the ways to choose, each a function of its seed.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// All a strategy knows is what it is told here: numbers, keys, counts - never an address or a time. So the same parameters and
// the same program give the same choices. Called by the task that has the turn, one at a time; no locks, no program code.
//
//   random     each task that can go on is as likely as another, at each point.
//   pct        random priorities, the highest goes on; at depth-1 random points of the run's length who goes on becomes the
//              lowest (Burckhardt et al., ASPLOS 2010). Finds a bug of depth d with at least 1/(n k^(d-1)): base/pct_bound.h.
//   pos        a random priority for each operation, drawn again when an operation that it races with was executed (Yuan,
//              Yang, Gu: Partial order aware concurrency sampling, CAV 2018).
//   urw        tasks are as likely as they have operations left, by the counts of a trial run (profile.h), those of children
//              yet to come included: so each interleaving, not each step, is as likely as another (Zhao et al., ASPLOS 2025).
//   rr         one after the other by their numbers, each for a number of operations that the seed gives.
//   portfolio  one of the others, given by the seed, pct with depth 2 in every other run; cspr_strategy_used says which.
//
// Loops that wait. A task that yields, reads the same thing over and over, or goes on for very long while others could, makes
// room under pct (it gets the lowest priority) and pos (its operation does); the others do so anyway.
// Every strategy therefore lets every task that can go on do so in the end, and loops that wait for it end.
#ifndef CSP_RTL_STRATEGY_H
#define CSP_RTL_STRATEGY_H

#include <stdbool.h>
#include <stdint.h>

typedef enum cspr_strategy_kind {
    CSPR_STRATEGY_RANDOM,
    CSPR_STRATEGY_PCT,
    CSPR_STRATEGY_POS,
    CSPR_STRATEGY_URW,
    CSPR_STRATEGY_RR,
    CSPR_STRATEGY_PORTFOLIO,
    CSPR_STRATEGIES,
} cspr_strategy_kind;

// False when there is none of that name.
bool cspr_strategy_parse(const char *name, cspr_strategy_kind *out);
const char *cspr_strategy_name(cspr_strategy_kind kind);

// One that can go on, and what it would do next. Objects are numbered from 1 in the order in which the run met them.
typedef struct cspr_candidate {
    uint32_t task; // by order of creation, 1 is main
    uint32_t object;
    uint64_t key;    // the same in every schedule: its creator's, hashed with its index among the creator's children
    uint64_t points; // operations it has executed
    uint8_t op;      // kind of its next one, enum cspr_op
    bool is_write;   // that changes the object or synchronises; two that do not commute
} cspr_candidate;

typedef struct cspr_strategy_params {
    cspr_strategy_kind kind;
    uint64_t seed;
    uint32_t depth;  // PCT's d; 0: 3
    uint64_t length; // PCT's k: operations of a run; 0: the profile's, or a guess
} cspr_strategy_params;

// A run begins: everything before it is forgotten. The profile that URW and PCT use is what profile.h holds.
void cspr_strategy_begin(const cspr_strategy_params *params);
// The strategy in force: for portfolio the one it stands for.
cspr_strategy_kind cspr_strategy_used(void);
uint32_t cspr_strategy_depth(void); // PCT's d in force

// A task is there, before it is first among candidates. creator: its number, 0 for main.
void cspr_strategy_task_created(uint32_t task, uint64_t key, uint32_t creator);
void cspr_strategy_task_ended(uint32_t task);

enum { CSPR_NO_CURRENT = -1 };
// Who goes on and executes its next operation: an index into c. To be called before every operation, also with n == 1.
// current: who executed the last one, if it can go on, else CSPR_NO_CURRENT; gives_way: it yields, or is known to spin.
uint32_t cspr_strategy_choose(const cspr_candidate *c, uint32_t n, int32_t current, bool gives_way);

// Any other decision: a number below n, n > 0 (which case of a select, which waiter, whether a timer is early).
uint32_t cspr_strategy_pick(uint32_t n);

#endif
