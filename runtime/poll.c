// poll.c - the netpoller: coroutines parked until a descriptor may be ready, over epoll.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One-shot, armed anew for each wait. Edge-triggered registration, once per descriptor, would save that system call, but it
// relies on being told of every close: programs call close(2) and dup2 behind our back, and a number that is used again would
// never be heard of. Arming looks each time: ENOENT says that the number means another file now. Then those still queued
// for the old one are woken with EBADF, and the new file is added under a new generation; events of an older one (a duplicate
// kept the old file, and thereby its entry in the set, alive) are dropped. A wake-up too many does no harm: the woken one
// tries without blocking and waits again.
// One event wakes the first waiter of a side, and the rest are armed again: it fires at once when there is more. An error
// or a hang-up wakes all.
// Invariants (under the record's lock):  I1 a waiter is queued iff its `queued`; it counts in cspi_poll_waiting until it is runnable
//                                        I2 sides with waiters are armed, or their event is on its way to dispatch()
// Ordering:  P1 a waiter counts itself, then looks how the keeper sleeps; the keeper says that it will sleep deaf, then looks
//               at the count (idle.c). Both sequentially consistent, so one sees the other.
//            P2 kick: wake stored, then in_poll read; the keeper stores in_poll, then reads wake (idle.c, K2).
// Lock order: a record's, then the scheduler's.
// See: docs/architecture.md (netpoller); Go's netpoll, netpoll_epoll
#include "poll.h"

#include "waitq.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CHUNK 1024
#define CHUNKS 4096 // descriptors above 4 million are not watched
#define BATCH 64
#define KICK UINT64_MAX // data of the eventfd

struct record {
    cspi_lock lock;
    // --- under lock
    bool known;          // in the set, as far as we know
    uint32_t generation; // of the entry in the set
    cspi_waitq sides[2];
    // --- atomic, a hint
    bool is_other;
};

struct poll_waiter {
    cspi_waiter base;
    struct record *record;
    int side;
    // --- under the record's lock
    bool queued;
    bool granted; // was taken off the queue: ready, or error
    int error;
    cspi_giveup giveup;
};

static struct {
    cspi_lock lock; // for opening
    int set;        // epoll descriptor + 1, atomic; 0: none yet
    int kick;       // eventfd
    uint32_t busy;  // atomic: somebody polls without waiting
    int n_asleep;   // atomic: workers in cspi_poll_sleep; two while one that was kicked has not woken yet
} poller;

static struct record *chunks[CHUNKS]; // atomic

int64_t cspi_poll_waiting;

// --- records ----------------------------------------------------------------------------------------------------------------

// NULL: the number is not one, or no memory.
static struct record *record_of(int fd)
{
    if (fd < 0 || fd >= CHUNK * CHUNKS)
        return NULL;
    struct record **place = &chunks[fd / CHUNK];
    struct record *chunk = csp_load_acq(place);
    if (!chunk) {
        CSP_HOOK(ignore_begin);
        struct record *made = calloc(CHUNK, sizeof *made);
        // Release: who finds it finds it zeroed.
        if (!made || __atomic_compare_exchange_n(place, &chunk, made, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
            chunk = made;
        else
            free(made);
        CSP_HOOK(ignore_end);
    }
    return chunk ? &chunk[fd % CHUNK] : NULL;
}

bool cspi_poll_is_other(int fd)
{
    const struct record *r = record_of(fd);
    return r && csp_load_rlx(&r->is_other); // relaxed: a hint
}

void cspi_poll_set_other(int fd, bool is_other)
{
    struct record *r = record_of(fd);
    if (r)
        csp_store_rlx(&r->is_other, is_other); // relaxed: a hint
}

// --- the set ----------------------------------------------------------------------------------------------------------------

// System calls of our own, which a detector does not take for the program's.
static int control(int set, int op, int fd, uint32_t events, uint64_t data)
{
    struct epoll_event e = {.events = events, .data.u64 = data};
    return syscall(SYS_epoll_ctl, set, op, fd, &e) == 0 ? 0 : errno;
}

static int open_locked(void)
{
    int set = (int)syscall(SYS_epoll_create1, EPOLL_CLOEXEC);
    if (set < 0)
        return errno;
    int kick = (int)syscall(SYS_eventfd2, 0, EFD_CLOEXEC | EFD_NONBLOCK);
    int error = kick < 0 ? errno : control(set, EPOLL_CTL_ADD, kick, EPOLLIN, KICK);
    if (error) {
        syscall(SYS_close, set);
        if (kick >= 0)
            syscall(SYS_close, kick);
        return error;
    }
    poller.kick = kick;
    csp_store_rel(&poller.set, set + 1); // carries kick
    return 0;
}

// The first wait makes the set. 0 or an errno.
static int open_set(void)
{
    if (csp_load_acq(&poller.set))
        return 0;
    cspi_lock_acquire(&poller.lock);
    int error = poller.set ? 0 : open_locked();
    cspi_lock_release(&poller.lock);
    return error;
}

static int set_fd(void)
{
    return csp_load_acq(&poller.set) - 1;
}

// --- waiters; callers hold the record's lock -----------------------------------------------------------------------------

static void take_off_locked(struct record *r, struct poll_waiter *w)
{
    cspi_waitq_remove(&r->sides[w->side], &w->base);
    w->queued = false;
}

// One that was taken off. It counts until it is in a queue: the monitor polls, too, and nobody else counts for it (rest.c).
static void ready(csp_co *co)
{
    cspi_ready(co);
    csp_add_seq(&cspi_poll_waiting, -1);
}

static void grant_locked(struct record *r, struct poll_waiter *w, int error)
{
    take_off_locked(r, w);
    w->granted = true;
    w->error = error;
    // With the lock held: records are never freed.
    ready(w->base.co);
}

static void grant_all_locked(struct record *r, int side, int error)
{
    while (r->sides[side].head)
        grant_locked(r, (struct poll_waiter *)r->sides[side].head, error);
}

static uint32_t wanted_locked(const struct record *r)
{
    return (r->sides[CSPI_POLL_READ].head ? (uint32_t)EPOLLIN : 0) |
           (r->sides[CSPI_POLL_WRITE].head ? (uint32_t)EPOLLOUT : 0);
}

static uint64_t name_of(const struct record *r, int fd)
{
    return (uint64_t)r->generation << 32 | (uint32_t)fd;
}

// The number was not in the set, or meant another file there.
static int add_locked(struct record *r, int fd, uint32_t events)
{
    r->generation++;
    int error = control(set_fd(), EPOLL_CTL_ADD, fd, events, name_of(r, fd));
    if (error == EEXIST) // put back by dup2: the entry has outlived its number
        error = control(set_fd(), EPOLL_CTL_MOD, fd, events, name_of(r, fd));
    r->known = error == 0;
    return error;
}

// Arms the sides with waiters, and `more`. 0 or an errno.
static int arm_locked(struct record *r, int fd, uint32_t more)
{
    uint32_t events = wanted_locked(r) | more | (uint32_t)EPOLLONESHOT;
    if (r->known) {
        int error = control(set_fd(), EPOLL_CTL_MOD, fd, events, name_of(r, fd));
        if (error != ENOENT)
            return error;
        // Closed behind our back; who waits for the old file is told.
        grant_all_locked(r, CSPI_POLL_READ, EBADF);
        grant_all_locked(r, CSPI_POLL_WRITE, EBADF);
        events = more | (uint32_t)EPOLLONESHOT;
    }
    return add_locked(r, fd, events);
}

// --- waiting ----------------------------------------------------------------------------------------------------------------

static void abandon(cspi_giveup *g, int why)
{
    struct poll_waiter *w = (struct poll_waiter *)((char *)g - offsetof(struct poll_waiter, giveup));
    struct record *r = w->record;
    cspi_lock_acquire(&r->lock);
    bool parked = w->queued;
    if (!w->granted)
        g->why = why;
    if (parked)
        take_off_locked(r, w);
    cspi_lock_release(&r->lock);
    if (parked)
        ready(w->base.co);
}

static int wait_within(struct poll_waiter *w, int fd, const csp_site *site)
{
    struct record *r = w->record;
    cspi_lock_acquire(&r->lock);
    int error = w->giveup.why;
    if (!error)
        error = arm_locked(r, fd, w->side == CSPI_POLL_READ ? (uint32_t)EPOLLIN : (uint32_t)EPOLLOUT);
    if (error) {
        cspi_lock_release(&r->lock);
        return error;
    }
    cspi_waitq_push(&r->sides[w->side], &w->base);
    w->queued = true;
    csp_add_seq(&cspi_poll_waiting, 1); // P1
    cspi_idle_mind_poller();            // P1
    const cspi_wait wait = {.op = CSP_WAIT_IO, .will_wake = true, .site = site};
    cspi_park(&wait, &r->lock);
    return w->error;
}

int cspi_poll_wait(int fd, int side, const cspi_limit *limit, const csp_site *site)
{
    struct poll_waiter w = {.base.co = cspi_self(), .record = record_of(fd), .side = side};
    if (!w.record)
        return fd < 0 ? EBADF : ENOMEM;
    int error = open_set();
    if (error)
        return error;
    if (cspi_limit_is_none(limit))
        return wait_within(&w, fd, site);
    if (!cspi_giveup_arm(&w.giveup, limit, abandon))
        return w.giveup.why;
    error = wait_within(&w, fd, site);
    cspi_giveup_disarm(&w.giveup);
    return error ? error : w.giveup.why;
}

int cspi_poll_close(int fd)
{
    struct record *r = record_of(fd);
    if (!r)
        return close(fd);
    // Until the number is free: who gets it next, and waits, comes after.
    cspi_lock_acquire(&r->lock);
    if (r->known)
        (void)control(set_fd(), EPOLL_CTL_DEL, fd, 0, 0);
    r->known = false;
    r->generation++;
    grant_all_locked(r, CSPI_POLL_READ, EBADF);
    grant_all_locked(r, CSPI_POLL_WRITE, EBADF);
    int result = close(fd);
    cspi_lock_release(&r->lock);
    return result;
}

// --- events -----------------------------------------------------------------------------------------------------------------

static void dispatch(const struct epoll_event *e)
{
    int fd = (int)(uint32_t)e->data.u64;
    struct record *r = record_of(fd);
    const uint32_t both = EPOLLERR | EPOLLHUP, mask[2] = {EPOLLIN, EPOLLOUT};
    cspi_lock_acquire(&r->lock);
    if (name_of(r, fd) == e->data.u64) {
        for (int side = 0; side < 2; side++) {
            if (e->events & both)
                grant_all_locked(r, side, 0);
            else if ((e->events & mask[side]) && r->sides[side].head)
                grant_locked(r, (struct poll_waiter *)r->sides[side].head, 0);
        }
        if (wanted_locked(r) &&
            arm_locked(r, fd, 0) != 0) { // it cannot be watched any more: let them see for themselves
            grant_all_locked(r, CSPI_POLL_READ, 0);
            grant_all_locked(r, CSPI_POLL_WRITE, 0);
        }
    }
    cspi_lock_release(&r->lock);
}

// n events into e; 0: the instant came, or a signal.
static int fetch(struct epoll_event e[BATCH], int64_t until)
{
    struct timespec t = {0, 0}, *timeout = &t;
    if (until == CSPI_FOREVER) {
        timeout = NULL;
    } else if (until) {
        int64_t ns = until - cspi_now();
        ns = ns > 0 ? ns : 0;
        t = (struct timespec){.tv_sec = (time_t)(ns / 1000000000), .tv_nsec = (long)(ns % 1000000000)};
    }
    long n = syscall(SYS_epoll_pwait2, set_fd(), e, BATCH, timeout, NULL, (size_t)0);
    if (n < 0 && errno == ENOSYS) { // before Linux 5.11: milliseconds, rounded up
        int64_t ms = timeout ? (int64_t)t.tv_sec * 1000 + (t.tv_nsec + 999999) / 1000000 : -1;
        n = syscall(SYS_epoll_pwait, set_fd(), e, BATCH, (int)(ms < INT32_MAX ? ms : INT32_MAX), NULL, (size_t)0);
    }
    return n > 0 ? (int)n : 0;
}

// Readies who waits; the kick is the keeper's to take.
static bool dispatch_all(const struct epoll_event *e, int n)
{
    bool any = false;
    for (int i = 0; i < n; i++)
        if (e[i].data.u64 != KICK) {
            dispatch(&e[i]);
            any = true;
        }
    return any;
}

bool cspi_poll_any(bool (*is)(int fd, void *arg), void *arg)
{
    if (csp_load_rlx(&cspi_poll_waiting) <= 0) // relaxed: nobody else runs
        return false;
    for (int i = 0; i < CHUNKS; i++)
        for (int j = 0; chunks[i] && j < CHUNK; j++) {
            const struct record *r = &chunks[i][j];
            if ((r->sides[0].head || r->sides[1].head) && is(i * CHUNK + j, arg))
                return true;
        }
    return false;
}

bool cspi_poll_now(void)
{
    // relaxed: only to keep two from asking at once
    if (csp_load_rlx(&poller.busy) || csp_xchg_acq(&poller.busy, 1u))
        return false;
    int saved = errno;
    struct epoll_event e[BATCH];
    bool any = csp_load_acq(&poller.set) && dispatch_all(e, fetch(e, 0));
    errno = saved;
    csp_store_rel(&poller.busy, 0u);
    return any;
}

// The kick may be another's, who has been replaced as the keeper and not woken yet: then it is passed on.
static bool take_kick(const struct epoll_event *e, int n, bool others_asleep)
{
    for (int i = 0; i < n; i++)
        if (e[i].data.u64 == KICK) {
            uint64_t count;
            syscall(SYS_read, poller.kick, &count, sizeof count);
            if (others_asleep)
                cspi_poll_kick();
            return true;
        }
    return false;
}

bool cspi_poll_sleep(cspi_worker *w, int64_t until, bool *timed_out)
{
    int saved = errno;
    struct epoll_event e[BATCH];
    int n = 0;
    csp_add_seq(&poller.n_asleep, 1);
    csp_store_seq(&w->in_poll, 1u); // P2
    if (!csp_load_seq(&w->wake))    // P2
        n = fetch(e, until);
    csp_store_rlx(&w->in_poll, 0u); // relaxed: a kick that still sees it leaves a count behind, which wakes for nothing
    bool others_asleep = csp_add_seq(&poller.n_asleep, -1) > 1;
    bool kicked = take_kick(e, n, others_asleep);
    bool left = n > kicked && cspi_idle_leave(w);
    dispatch_all(e, n);
    *timed_out = n == 0 && until != CSPI_FOREVER && cspi_now() >= until;
    errno = saved;
    return left;
}

void cspi_poll_kick(void)
{
    int saved = errno;
    uint64_t one = 1;
    syscall(SYS_write, poller.kick, &one, sizeof one);
    errno = saved;
}

void cspi_poll_after_fork(void)
{
    if (poller.set) {
        syscall(SYS_close, poller.set - 1);
        syscall(SYS_close, poller.kick);
    }
    memset(&poller, 0, sizeof poller);
    cspi_poll_waiting = 0;
    for (int i = 0; i < CHUNKS; i++)
        if (chunks[i])
            memset(chunks[i], 0, CHUNK * sizeof *chunks[i]);
}
