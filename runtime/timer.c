// timer.c - one-shot timers: a 4-ary heap ordered by instant, under one lock; worker loops fire what is due.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Why 4-ary: a third fewer levels than a binary heap, and the four children of a node share a cache line pair. The instant
// is kept beside the pointer so that sifting does not touch the timers.
// Invariants (under timers.lock):  I1 heap[i].t->heap_index == i, 1-based; armed iff not 0
//                                  I2 heap[i].when >= heap[parent(i)].when   I3 earliest == heap[1].when
// A timer's memory may be reused as soon as fire has woken somebody, so that it is firing is noted beside the worker
// (firing), not in it; cspi_timer_stop waits until no worker's note names it.
// See: docs/architecture.md (timers)
#include "timer.h"

#include "base/check.h"
#include "base/lock.h"
#include "chan.h"
#include "hooks.h"
#include "panic.h"
#include "worker.h"

#include <sched.h>
#include <stdlib.h>
#include <time.h>

// A worker that fires more than it runs in between would fill memory with coroutines when very many timers are due.
enum { FIRED_AT_ONCE = 8 };

struct entry {
    int64_t when;
    cspi_timer *t;
};

static struct {
    cspi_lock lock;
    // --- under lock
    struct entry *heap; // [1, n]
    size_t n, cap;
    int64_t earliest; // atomic for readers without the lock; 0: no timer yet
} timers;

// What the library writes is ours: checked as an access, it cost more than all of parking.
static int64_t read_clock(clockid_t clock)
{
    if (CSPI_CONTROLLED())
        return CSP_HOOK_VALUE(clock, 0);
    struct timespec t;
    CSP_HOOK(ignore_begin);
    clock_gettime(clock, &t);
    CSP_HOOK(ignore_end);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t cspi_now(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int64_t cspi_now_coarse(void)
{
    return read_clock(CLOCK_MONOTONIC_COARSE);
}

int64_t cspi_after_now(int64_t ns)
{
    int64_t when;
    return __builtin_add_overflow(cspi_now(), ns > 0 ? ns : 0, &when) ? INT64_MAX - 1 : when;
}

// --- the heap; callers hold timers.lock --------------------------------------------------------------------------------

static void place(size_t i, struct entry e)
{
    timers.heap[i] = e;
    e.t->heap_index = i;
}

static size_t parent(size_t i)
{
    return (i - 2) / 4 + 1;
}

static void sift_up(size_t i, struct entry e)
{
    while (i > 1 && timers.heap[parent(i)].when > e.when) {
        place(i, timers.heap[parent(i)]);
        i = parent(i);
    }
    place(i, e);
}

static void sift_down(size_t i, struct entry e)
{
    for (;;) {
        size_t first = 4 * (i - 1) + 2, least = first;
        if (first > timers.n)
            break;
        for (size_t j = first + 1; j < first + 4 && j <= timers.n; j++)
            if (timers.heap[j].when < timers.heap[least].when)
                least = j;
        if (timers.heap[least].when >= e.when)
            break;
        place(i, timers.heap[least]);
        i = least;
    }
    place(i, e);
}

static void publish_earliest(void)
{
    // Release for nothing in particular: readers that act on it take the lock.
    csp_store_rel(&timers.earliest, timers.n ? timers.heap[1].when : INT64_MAX);
}

static void grow(void)
{
    size_t cap = timers.cap ? timers.cap * 2 : 64;
    CSP_HOOK(ignore_begin);
    struct entry *heap = realloc(timers.heap, (cap + 1) * sizeof *heap);
    CSP_HOOK(ignore_end);
    if (!heap)
        cspi_fatal("out of memory: no room for %zu timers", cap);
    timers.heap = heap;
    timers.cap = cap;
}

static void insert(cspi_timer *t)
{
    if (timers.n == timers.cap)
        grow();
    timers.n++;
    sift_up(timers.n, (struct entry){t->when_ns, t});
    publish_earliest();
}

static void take_out(cspi_timer *t)
{
    size_t i = t->heap_index;
    CSP_DCHECK(i >= 1 && i <= timers.n && timers.heap[i].t == t);
    t->heap_index = 0;
    struct entry last = timers.heap[timers.n--];
    if (last.t != t) {
        if (i > 1 && timers.heap[parent(i)].when > last.when)
            sift_up(i, last);
        else
            sift_down(i, last);
    }
    publish_earliest();
}

// --- arming and firing -------------------------------------------------------------------------------------------------

int64_t cspi_timers_earliest(void)
{
    int64_t when = csp_load_acq(&timers.earliest);
    return when ? when : INT64_MAX;
}

void cspi_timer_start(cspi_timer *t, int64_t when_ns, void (*fire)(cspi_timer *t))
{
    cspi_lock_acquire(&timers.lock);
    CSP_CHECK(t->heap_index == 0);
    t->when_ns = when_ns > 0 ? when_ns : 1;
    t->fire = fire;
    insert(t);
    int64_t when = t->when_ns; // t may fire and be gone after the release
    bool is_earliest = timers.heap[1].t == t;
    cspi_lock_release(&timers.lock);
    if (is_earliest)
        cspi_worker_timer_earlier(when);
}

static bool is_firing_locked(const cspi_timer *t)
{
    for (int i = 0; i < csp_load_acq(&cspi_sched.n_max); i++) // one that fires was started before
        if (cspi_sched.workers[i]->firing == t)
            return true;
    return false;
}

bool cspi_timer_stop(cspi_timer *t)
{
    cspi_lock_acquire(&timers.lock);
    bool prevented = t->heap_index != 0;
    if (prevented)
        take_out(t);
    while (!prevented && is_firing_locked(t)) {
        cspi_lock_release(&timers.lock);
        sched_yield(); // fire neither parks nor blocks for long
        cspi_lock_acquire(&timers.lock);
        if (t->heap_index) { // fire has armed it again
            take_out(t);
            prevented = true;
        }
    }
    cspi_lock_release(&timers.lock);
    return prevented;
}

static size_t count_ties(size_t i)
{
    if (i > timers.n || timers.heap[i].when != timers.heap[1].when)
        return 0;
    size_t n = 1;
    for (size_t child = 4 * (i - 1) + 2, end = child + 4; child < end; child++)
        n += count_ties(child);
    return n;
}

// The index-th of them in the heap's order, counted down to 0.
static cspi_timer *find_tie(size_t i, size_t *index)
{
    if (i > timers.n || timers.heap[i].when != timers.heap[1].when)
        return NULL;
    if ((*index)-- == 0)
        return timers.heap[i].t;
    cspi_timer *found = NULL;
    for (size_t child = 4 * (i - 1) + 2, end = child + 4; child < end && !found; child++)
        found = find_tie(child, index);
    return found;
}

// Of those due at the first instant, as the controlled schedule will have it.
static cspi_timer *choose_first(void)
{
    size_t n = count_ties(1), index = n > 1 ? CSP_HOOK_VALUE(choose, 0, (uint32_t)n) : 0;
    return find_tie(1, &index);
}

void cspi_timers_run(int64_t now, const cspi_timer **firing)
{
    cspi_lock_acquire(&timers.lock);
    for (int left = FIRED_AT_ONCE; left && timers.n && timers.heap[1].when <= now; left--) {
        cspi_timer *t = CSPI_CONTROLLED() ? choose_first() : timers.heap[1].t;
        take_out(t);
        *firing = t;
        cspi_lock_release(&timers.lock);
        t->fire(t);
        cspi_lock_acquire(&timers.lock);
        *firing = NULL;
    }
    cspi_lock_release(&timers.lock);
}

// --- questions ----------------------------------------------------------------------------------------------------------

bool cspi_timers_may_wake(void)
{
    cspi_lock_acquire(&timers.lock);
    bool may = false;
    // One that only sends to a channel wakes whoever is parked there.
    for (size_t i = 1; i <= timers.n && !may; i++) {
        const csp_chan *c = timers.heap[i].t->wakes;
        may = !c || csp_load_rlx(&c->receivers.head); // relaxed: nothing runs
    }
    cspi_lock_release(&timers.lock);
    return may;
}

int64_t cspi_timers_earliest_lively(void)
{
    cspi_lock_acquire(&timers.lock);
    int64_t earliest = INT64_MAX;
    for (size_t i = 1; i <= timers.n; i++)
        if (!timers.heap[i].t->idle && timers.heap[i].when < earliest)
            earliest = timers.heap[i].when;
    cspi_lock_release(&timers.lock);
    return earliest;
}

void cspi_timers_each_channel(void (*fn)(const csp_chan *c, void *arg), void *arg)
{
    cspi_lock_acquire(&timers.lock);
    for (size_t i = 1; i <= timers.n; i++) {
        cspi_timer *t = timers.heap[i].t;
        if (t->wakes)
            fn(t->wakes, arg);
        if (t->each_woken)
            t->each_woken(t, fn, arg);
    }
    cspi_lock_release(&timers.lock);
}

void cspi_timers_each(void (*fn)(const void *timer, void *arg), void *arg)
{
    cspi_lock_acquire(&timers.lock);
    for (size_t i = 1; i <= timers.n; i++)
        fn(timers.heap[i].t, arg);
    cspi_lock_release(&timers.lock);
}

size_t cspi_timers_count(void)
{
    cspi_lock_acquire(&timers.lock);
    size_t n = timers.n;
    cspi_lock_release(&timers.lock);
    return n;
}

void cspi_timers_fork_lock(void)
{
    cspi_lock_acquire(&timers.lock);
}

void cspi_timers_fork_unlock(bool is_child)
{
    if (is_child) {
        timers.n = 0;
        publish_earliest();
    }
    cspi_lock_release(&timers.lock);
}
