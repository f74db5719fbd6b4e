// shadow.c - taking words that others have, and giving parts of the shadow back.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#define _GNU_SOURCE
#include "shadow/shadow.h"

#include "deadlock/lock_order.h"
#include "deadlock/lock_wait.h"
#include "shadow/access.h"
#include "shadow/depot.h"
#include "shadow/extent.h"
#include "shadow/filter.h"
#include "shadow/readset.h"
#include "shadow/reread.h"
#include "shadow/side.h"
#include "support/alloc.h"
#include "support/counters.h"
#include "task/task.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>

enum { PAGE = 4096, PAGE_APP_BYTES = CSPR_PAGE_APP_BYTES, BIG_RUN_PAGES = 16 };
#define HUGE_RANGE ((uintptr_t)4 << 30)
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

// --- reading ahead ----------------------------------------------------------------------------------------------------------

__thread struct cspr_stream cspr_streams[CSPR_STREAMS] __attribute__((tls_model("initial-exec")));

// As many pages ahead as came one after the other, inside the 64 KB that the stream's slot stands for: what is put into
// memory in vain is never more than what is used.
CSPR_NOINLINE void cspr_shadow_next_page(struct cspr_stream *s, uintptr_t page)
{
    static bool unsupported; // atomic; before Linux 5.14
    enum { PAGES_PER_SLOT = (1 << 16) / CSPR_PAGE_APP_BYTES };
    bool follows = page == s->page + 1;
    s->length = follows ? s->length + 1 : 1;
    s->ready = follows ? s->ready : 0;
    s->page = page;
    if (!follows || page + 1 < s->ready || !cspr_flags.shadow_ahead ||
        __atomic_load_n(&unsupported, __ATOMIC_RELAXED)) // relaxed: a hint
        return;
    uintptr_t end = (page / PAGES_PER_SLOT + 1) * PAGES_PER_SLOT, until = page + 1 + s->length;
    until = until < end ? until : end;
    s->ready = until;
    if (until == page + 1)
        return;
    int saved = errno;
    cspr_count(CSPR_COUNT_AHEAD);
    if (madvise(cspr_shadow_of((page + 1) * CSPR_PAGE_APP_BYTES), (until - page - 1) * PAGE, MADV_POPULATE_WRITE))
        __atomic_store_n(&unsupported, errno == EINVAL, __ATOMIC_RELAXED); // relaxed: a hint
    errno = saved;
}

// --- taking a word that another has -----------------------------------------------------------------------------------------

static bool in_forked_child; // written while the process has one thread

uint64_t cspr_line_take_slow(uint64_t *line)
{
    enum { PATIENCE = 50000 };
    unsigned turns = 0;
    uintptr_t app = ((uintptr_t)line - CSPR_SHADOW_BASE) / 2; // as far as the shadow says
    do {
        while (__atomic_load_n(&line[1], __ATOMIC_RELAXED) & CSPR_CELL_TAKEN) { // relaxed: only when to try again
            cspr_spin_turn(&turns);
            if (in_forked_child &&
                turns > PATIENCE) { // taken by a thread that fork left behind: ours, its history lost
                for (unsigned i = 0; i < CSPR_LINE_WORDS; i++)
                    cspr_word_put(&line[2 * i], 0, 0);
                cspr_reread_forget(app, app + CSPR_LINE_APP_BYTES);
                return 0;
            }
        }
    } while (__atomic_fetch_or(&line[1], CSPR_CELL_TAKEN, __ATOMIC_ACQUIRE) & CSPR_CELL_TAKEN); // E1
    return cspr_word_write_cell(line);
}

// Rule G1. The child has only the forking thread: the locks must be free of others' sections, words cannot be.
void cspr_core_before_fork(void)
{
    cspr_enter();
    cspr_task_fork_lock(true);
    cspr_lock_wait_fork_lock(true);
    cspr_lock_order_fork_lock(true);
    cspr_extent_fork_lock(true);
    cspr_reread_fork_lock(true);
    cspr_side_fork_lock(true);
    cspr_readset_fork_lock(true);
    cspr_depot_fork_lock(true);
    cspr_alloc_fork_lock(true); // innermost: the others allocate
}

void cspr_core_after_fork(bool in_child)
{
    in_forked_child |= in_child;
    cspr_alloc_fork_lock(false);
    cspr_depot_fork_lock(false);
    cspr_readset_fork_lock(false);
    cspr_side_fork_lock(false);
    cspr_reread_fork_lock(false);
    cspr_extent_fork_lock(false);
    cspr_lock_order_fork_lock(false);
    cspr_lock_wait_fork_lock(false);
    cspr_task_fork_lock(false);
    cspr_leave();
}

// --- ranges -----------------------------------------------------------------------------------------------------------------

// Runs of shadow pages that are in memory or not; run(lo, hi, touched, arg) in application addresses. A page the system
// has swapped out is told as untouched.
static void each_run(uintptr_t lo, uintptr_t hi, void (*run)(uintptr_t, uintptr_t, bool, void *), void *arg)
{
    enum { BATCH = 512 };
    unsigned char resident[BATCH];
    int saved = errno;
    uintptr_t at = lo;
    while (at < hi) {
        uintptr_t page = at & ~(uintptr_t)(PAGE_APP_BYTES - 1);
        size_t n = (hi - page + PAGE_APP_BYTES - 1) / PAGE_APP_BYTES;
        n = n < BATCH ? n : BATCH;
        if (mincore(cspr_shadow_of(page), n * PAGE, resident))
            memset(resident, 1, n);
        for (size_t i = 0, k; i < n; i = k) {
            for (k = i + 1; k < n && (resident[k] & 1) == (resident[i] & 1); k++)
                ;
            uintptr_t end = page + k * PAGE_APP_BYTES;
            end = end < hi ? end : hi;
            run(at, end, resident[i] & 1, arg);
            at = end;
        }
    }
    errno = saved;
}

typedef struct touched_call {
    void (*fn)(uintptr_t, uintptr_t, void *);
    void *arg;
} touched_call;

static void run_touched(uintptr_t lo, uintptr_t hi, bool touched, void *arg)
{
    touched_call *call = arg;
    if (touched)
        call->fn(lo, hi, call->arg);
}

// mincore tells pages that were swapped out from those never touched by nothing.
static bool may_be_swapped(void)
{
    struct sysinfo now;
    return sysinfo(&now) || now.totalswap != now.freeswap;
}

void cspr_shadow_each_touched(uintptr_t lo, uintptr_t hi, void (*fn)(uintptr_t, uintptr_t, void *), void *arg)
{
    touched_call call = {fn, arg};
    if (lo < hi && may_be_swapped()) { // slower, where pages are untouched: they are read as zero
        fn(lo, hi, arg);
        return;
    }
    each_run(lo, hi, run_touched, &call);
}

void cspr_shadow_drop(uintptr_t lo, uintptr_t hi)
{
    lo = (lo + PAGE_APP_BYTES - 1) & ~(uintptr_t)(PAGE_APP_BYTES - 1);
    hi &= ~(uintptr_t)(PAGE_APP_BYTES - 1);
    if (lo >= hi)
        return;
    int saved = errno;
    madvise(cspr_shadow_of(lo), (hi - lo) * 2, MADV_DONTNEED);
    errno = saved;
    cspr_reread_forget(lo, hi); // those of records that nothing names any more
}

static void forget_run(uintptr_t lo, uintptr_t hi, bool touched, void *arg)
{
    (void)arg;
    if (touched) {
        for (uintptr_t a = lo; a < hi; a += 8) {
            uint64_t *cells = cspr_shadow_of(a);
            if (cspr_word_is_empty(cells))
                continue; // nothing to forget
            uint64_t w = cspr_word_take(cells);
            if (cspr_cell_is_aside(w))
                cspr_record_free(cspr_record_of(w));
            cspr_word_give(cells, 0, 0);
        }
    }
    // Untouched pages may have been swapped out; few touched ones are cheaper kept than faulted in again.
    if (!touched || hi - lo > BIG_RUN_PAGES * PAGE_APP_BYTES)
        cspr_shadow_drop(lo, hi);
}

void cspr_shadow_forget(uintptr_t lo, uintptr_t hi)
{
    cspr_enter();
    cspr_filter_flush();
    cspr_extent_set(lo & ~(CSPR_GRANULE - 1), (hi + CSPR_GRANULE - 1) & ~(CSPR_GRANULE - 1), NULL);
    lo = (lo + 7) & ~(uintptr_t)7;
    hi &= ~(uintptr_t)7;
    if (lo < hi && hi - lo < HUGE_RANGE)
        each_run(lo, hi, forget_run, NULL);
    else
        cspr_shadow_drop(
            lo, hi); // side records of such a mapping are lost to reuse, which is cheaper than looking for them
    cspr_leave();
}
