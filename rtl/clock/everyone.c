// everyone.c - rows of what the live tasks know, and their minimum.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Each live task has a row: for the first ids, how much of them it knows, or knew a while ago. It is written by its task
// only, when somebody has asked for it (`asks`). What every row has, every live task has, if the rows are those of all live
// tasks. That is so while `state` does not change and nobody is outside:
//   E1 add, remove, wait, back: `state` changes, release -> know: both acquire loads of it see the same value
//   E2 a row grows: store-release -> know: load-acquire of the row. Who sees the creator's grown row sees the created task's
//      row in `state` too, since that was put there before the creator went on to learn.
// A task's own component is without bound while it lives: it knows all of itself.
#include "clock/everyone.h"

#include "support/counters.h"

enum { ROWS = 16, GENERATION = 1 << ROWS };

uint64_t cspr_everyone_has[CSPR_EVERYONE_IDS];
uint32_t cspr_everyone_asks;

static struct {
    _Alignas(64) uint64_t at[CSPR_EVERYONE_IDS]; // atomic
} rows[ROWS];
static uint32_t n_ids;     // atomic: ids in use, at most; rows are zero from there on
static uint32_t claimed;   // atomic: bits of rows in use
static uint64_t state;     // atomic: bits of rows that count, and above them a number of changes
static uint32_t n_outside; // atomic: live tasks without a row, and clocks kept for later tasks

static void write_row(const cspr_task *t, bool lives)
{
    uint32_t n = __atomic_load_n(&n_ids, __ATOMIC_RELAXED); // relaxed: a row that lacks new ids says less, not more
    for (uint32_t id = 0; id < n; id++) {
        uint64_t at = lives && id == t->clock.own ? UINT64_MAX : cspr_clock_get(&t->clock, id);
        __atomic_store_n(&rows[t->row].at[id], at, __ATOMIC_RELEASE); // E2
    }
}

static void change_state(unsigned row, bool counts)
{
    uint64_t old = __atomic_load_n(&state, __ATOMIC_RELAXED), bit = 1ull << row, fresh; // relaxed: compared again
    do
        fresh = (counts ? old | bit : old & ~bit) + GENERATION;
    while (!__atomic_compare_exchange_n(&state, &old, fresh, true, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)); // E1
}

static uint8_t claim_row(void)
{
    uint32_t old = __atomic_load_n(&claimed, __ATOMIC_RELAXED); // relaxed: only distinctness matters
    while (~old & (GENERATION - 1)) {
        unsigned row = (unsigned)__builtin_ctz(~old);
        if (__atomic_compare_exchange_n(&claimed, &old, old | 1u << row, true, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
            return (uint8_t)row;
    }
    return CSPR_NO_ROW;
}

void cspr_everyone_hold(void)
{
    __atomic_fetch_add(&n_outside, 1, __ATOMIC_SEQ_CST);
}

void cspr_everyone_unhold(void)
{
    __atomic_fetch_sub(&n_outside, 1, __ATOMIC_SEQ_CST);
}

void cspr_everyone_add(cspr_task *t)
{
    t->row = claim_row();
    if (t->row == CSPR_NO_ROW) {
        cspr_everyone_hold();
        return;
    }
    uint32_t n = __atomic_load_n(&n_ids, __ATOMIC_RELAXED), own = t->clock.own; // relaxed: compared again
    while (own < CSPR_EVERYONE_IDS && n <= own &&
           !__atomic_compare_exchange_n(&n_ids, &n, own + 1, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        ;
    write_row(t, true);
    change_state(t->row, true);
}

void cspr_everyone_ended(cspr_task *t)
{
    if (t->row != CSPR_NO_ROW)
        write_row(t, false); // its id may be another's from now on
}

void cspr_everyone_remove(cspr_task *t)
{
    if (t->row == CSPR_NO_ROW) {
        cspr_everyone_unhold();
        return;
    }
    change_state(t->row, false);
    __atomic_fetch_and(&claimed, ~(1u << t->row), __ATOMIC_RELEASE); // the row's next owner may write it
}

void cspr_everyone_learned_slow(cspr_task *t)
{
    __atomic_fetch_and(&cspr_everyone_asks, ~(1u << t->row), __ATOMIC_RELAXED); // relaxed: a hint
    write_row(t, true);
}

void cspr_everyone_waits(cspr_task *t, const cspr_task *ended)
{
    // Its own end, or that of one without a row: nothing would stand for t. Relaxed: ended stays until t is back.
    if (t == ended || t->row == CSPR_NO_ROW || ended->row == CSPR_NO_ROW ||
        !(__atomic_load_n(&state, __ATOMIC_RELAXED) >> ended->row & 1))
        return;
    change_state(t->row, false);
}

void cspr_everyone_back(cspr_task *t)
{
    if (t->row == CSPR_NO_ROW)
        return;
    write_row(t, true);
    change_state(t->row, true);
}

bool cspr_everyone_knows_slow(const cspr_task *t, uint32_t id, uint64_t at)
{
    uint64_t before = __atomic_load_n(&state, __ATOMIC_ACQUIRE); // E1
    if (__atomic_load_n(&n_outside, __ATOMIC_ACQUIRE))
        return false;
    for (uint32_t left = before & (GENERATION - 1); left; left &= left - 1) {
        unsigned row = (unsigned)__builtin_ctz(left);
        if (row == t->row || __atomic_load_n(&rows[row].at[id], __ATOMIC_ACQUIRE) >= at) // E2
            continue;
        if (!(__atomic_load_n(&cspr_everyone_asks, __ATOMIC_RELAXED) >> row & 1)) // relaxed: a hint
            __atomic_fetch_or(&cspr_everyone_asks, 1u << row, __ATOMIC_RELAXED);
        return false;
    }
    if (__atomic_load_n(&state, __ATOMIC_ACQUIRE) != before || __atomic_load_n(&n_outside, __ATOMIC_ACQUIRE)) // E1
        return false;
    uint64_t had = __atomic_load_n(&cspr_everyone_has[id], __ATOMIC_RELAXED); // relaxed: see the header
    while (had < at &&
           !__atomic_compare_exchange_n(&cspr_everyone_has[id], &had, at, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        ;
    cspr_count(CSPR_COUNT_KNOWN);
    return true;
}
