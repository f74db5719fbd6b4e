// sem.c - the queue of a semaphore's released units.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Invariants:  I1 no two neighbouring runs have the same clock   I2 a run has at least one unit
#include "sync/sem.h"

#include "shadow/access.h"
#include "shadow/shadow.h"
#include "support/alloc.h"
#include "sync/sync.h"

#include <stdatomic.h>
#include <string.h>

// Units that came with one clock; NULL: with none.
typedef struct run {
    int64_t n;
    cspr_stamp *clock;
} run;

// A ring; under the semaphore's word.
struct cspr_units {
    run *runs;
    uint32_t head, n, cap;
};

enum { TAKEN_AT_ONCE = 16 };
uint32_t cspr_sem_max_runs = 1u << 20;
static atomic_ullong n_merged;

uint64_t cspr_sem_merged(void)
{
    return atomic_load_explicit(&n_merged, memory_order_relaxed); // relaxed: a counter
}

// --- the ring -----------------------------------------------------------------------------------------------------------------

static run *run_at(const struct cspr_units *u, uint32_t i)
{
    return &u->runs[(u->head + i) & (u->cap - 1)];
}

static void grow(struct cspr_units *u)
{
    struct cspr_units bigger = {.n = u->n, .cap = u->cap ? u->cap * 2 : 4};
    bigger.runs = cspr_alloc(bigger.cap * sizeof *bigger.runs);
    for (uint32_t i = 0; i < u->n; i++)
        bigger.runs[i] = *run_at(u, i);
    cspr_free(u->runs, u->cap * sizeof *u->runs);
    *u = bigger;
}

CSPR_NOINLINE static void merge_into_last(run *last, cspr_stamp *clock)
{
    last->clock = cspr_stamp_merge(last->clock, clock);
    cspr_stamp_unref(clock);
    if (atomic_fetch_add_explicit(&n_merged, 1, memory_order_relaxed) == 0) // relaxed: a counter
        cspr_note(
            "a semaphore holds %u units released at different times: from now on such share their order, and a race "
            "may be missed",
            cspr_sem_max_runs);
}

// Takes over the reference to the clock.
static void push(struct cspr_units *u, int64_t n, cspr_stamp *clock)
{
    run *last = u->n ? run_at(u, u->n - 1) : NULL;
    if (last && (last->clock == clock || u->n >= cspr_sem_max_runs)) {
        if (last->clock != clock)
            merge_into_last(last, clock);
        else
            cspr_stamp_unref(clock);
        last->n += n; // no overflow: so many units there are
        return;
    }
    if (u->n == u->cap)
        grow(u);
    *run_at(u, u->n++) = (run){n, clock};
}

// Takes up to k units off, of at most one run; *clock: theirs, a reference. 0: there are none.
static int64_t pop(struct cspr_units *u, int64_t k, cspr_stamp **clock)
{
    *clock = NULL;
    if (!u->n)
        return 0;
    run *first = run_at(u, 0);
    if (first->n > k) {
        first->n -= k;
        *clock = cspr_stamp_ref(first->clock);
        return k;
    }
    int64_t n = first->n;
    *clock = first->clock;
    u->head = (u->head + 1) & (u->cap - 1);
    u->n--;
    return n;
}

bool cspr_sem_units_known(const cspr_sync *s, const cspr_task *t)
{
    for (uint32_t i = 0; s->units && i < s->units->n; i++) {
        const cspr_stamp *clock = run_at(s->units, i)->clock;
        if (clock && !cspr_clock_covers(&t->clock, clock))
            return false;
    }
    return true;
}

void cspr_sem_units_drop(cspr_sync *s)
{
    struct cspr_units *u = s->units;
    if (!u)
        return;
    for (uint32_t i = 0; i < u->n; i++)
        cspr_stamp_unref(run_at(u, i)->clock);
    cspr_free(u->runs, u->cap * sizeof *u->runs);
    cspr_free(u, sizeof *u);
    s->units = NULL;
}

// --- semaphores, by address -----------------------------------------------------------------------------------------------------

// The units of a semaphore whose word is taken, made with `before` that carry nothing if there are none.
static struct cspr_units *units_of(cspr_record *rec, const void *sem, int64_t before)
{
    cspr_sync *s = cspr_record_sync(rec, (uintptr_t)sem, true);
    if (!s->units) {
        s->units = cspr_alloc(sizeof *s->units);
        if (before > 0)
            push(s->units, before, NULL);
    }
    return s->units;
}

typedef struct taken {
    uint64_t *cells;
    cspr_record *rec;
} taken;

static taken take_word(const void *sem)
{
    uint64_t *cells = cspr_shadow_of((uintptr_t)sem), w = cspr_word_take(cells);
    return (taken){cells, cspr_word_record((uintptr_t)sem & ~(uintptr_t)7, cells, w)};
}

static void give_word(taken word)
{
    cspr_word_give(word.cells, cspr_record_cell(word.rec), cspr_record_cell(word.rec));
}

bool cspr_sem_is_known(const void *sem)
{
    uint64_t *cells = cspr_shadow_of((uintptr_t)sem);
    if (!cspr_sync_may_be(sem))
        return false;
    cspr_enter();
    uint64_t w = cspr_word_take(cells);
    cspr_sync *s = cspr_cell_is_aside(w) ? cspr_record_sync(cspr_record_of(w), (uintptr_t)sem, false) : NULL;
    bool known = s && s->units;
    cspr_word_give(cells, cspr_word_read_cell(cells, w), w);
    cspr_leave();
    return known;
}

void cspr_sem_set(const void *sem, int64_t n)
{
    cspr_sync_reset(sem);
    if (n < 0)
        return;
    cspr_enter();
    taken word = take_word(sem);
    units_of(word.rec, sem, n);
    give_word(word);
    cspr_leave();
}

void cspr_sem_release(const void *sem, int64_t before, int64_t k, cspr_task *t, uintptr_t by)
{
    if (k <= 0)
        return;
    t = cspr_task_meant(t);
    cspr_enter();
    // What is released without order is there all the same.
    cspr_stamp *clock = t && !t->ignored[CSPR_IGNORE_SYNC] ? cspr_task_publish(t, by, NULL) : NULL;
    taken word = take_word(sem);
    push(units_of(word.rec, sem, before), k, clock);
    give_word(word);
    cspr_leave();
}

// Takes up to k units off, of up to TAKEN_AT_ONCE runs; clocks: n of them. Returns the units.
static int64_t take_some(const void *sem, int64_t before, int64_t k, cspr_stamp **clocks, unsigned *n)
{
    int64_t got = 0;
    taken word = take_word(sem);
    struct cspr_units *u = units_of(word.rec, sem, before);
    for (*n = 0; *n < TAKEN_AT_ONCE && got < k && u->n; ++*n)
        got += pop(u, k - got, &clocks[*n]);
    give_word(word);
    return got;
}

void cspr_sem_take(const void *sem, int64_t before, int64_t k, cspr_task *t)
{
    if (k <= 0)
        return;
    t = cspr_task_meant(t);
    cspr_enter();
    cspr_stamp *clocks[TAKEN_AT_ONCE];
    unsigned n;
    do {
        k -= take_some(sem, before, k, clocks, &n);
        for (unsigned i = 0; i < n; i++) {
            if (t && !t->ignored[CSPR_IGNORE_SYNC])
                cspr_task_learn(t, clocks[i]);
            cspr_stamp_unref(clocks[i]);
        }
    } while (k > 0 && n);
    cspr_leave();
}
