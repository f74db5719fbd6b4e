// control_queue.c - tasks that wait for an object of their own kind, or for an instant; waking them.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The runtime's objects have queues of their own; this is for what is emulated (pthreads', descriptors).
#include "control/control_state.h"

#include <sched.h>

enum { BUCKETS = 256 };

static struct {
    cspr_control *first, *last;
} buckets[BUCKETS];

static cspr_control *timed; // by deadline, first come first

static unsigned bucket_of(const void *obj)
{
    return (unsigned)(((uintptr_t)obj * 0x9e3779b97f4a7c15u) >> 56);
}

static void queue(cspr_control *c)
{
    unsigned b = bucket_of(c->waits_for);
    c->next_waiter = NULL;
    c->previous_waiter = buckets[b].last;
    *(buckets[b].last ? &buckets[b].last->next_waiter : &buckets[b].first) = c;
    buckets[b].last = c;
}

static void unqueue(cspr_control *c)
{
    unsigned b = bucket_of(c->waits_for);
    *(c->previous_waiter ? &c->previous_waiter->next_waiter : &buckets[b].first) = c->next_waiter;
    *(c->next_waiter ? &c->next_waiter->previous_waiter : &buckets[b].last) = c->previous_waiter;
}

static void queue_timed(cspr_control *c)
{
    cspr_control *before = NULL, *after = timed;
    while (after && after->deadline <= c->deadline) {
        before = after;
        after = after->next_timed;
    }
    c->previous_timed = before;
    c->next_timed = after;
    *(before ? &before->next_timed : &timed) = c;
    if (after)
        after->previous_timed = c;
}

static void unqueue_timed(cspr_control *c)
{
    *(c->previous_timed ? &c->previous_timed->next_timed : &timed) = c->next_timed;
    if (c->next_timed)
        c->next_timed->previous_timed = c->previous_timed;
}

// --- for the other files --------------------------------------------------------------------------------------------------------

void cspr_control_wait(cspr_control *c, int op, const void *obj, int64_t deadline)
{
    cspr_control_cannot(c);
    c->op = op;
    c->object = cspr_control_object(obj);
    c->timed_out = false;
    c->repeated = c->quiet = 0;
    cspr_control_set_gives_way(c, false);
    c->waits_for = obj;
    c->deadline = deadline;
    if (obj)
        queue(c);
    if (deadline != INT64_MAX)
        queue_timed(c);
}

void cspr_control_unwait(cspr_control *c)
{
    if (c->waits_for)
        unqueue(c);
    if (c->deadline != INT64_MAX)
        unqueue_timed(c);
    c->waits_for = NULL;
    c->deadline = INT64_MAX;
    cspr_control_can(c);
}

void cspr_control_forget_waiters(void)
{
    for (unsigned b = 0; b < BUCKETS; b++)
        buckets[b].first = buckets[b].last = NULL;
    timed = NULL;
}

int64_t cspr_control_first_deadline(void)
{
    return timed ? timed->deadline : INT64_MAX;
}

void cspr_control_fire_deadlines(void)
{
    while (CSPR_UNLIKELY(timed && timed->deadline <= cspr_control_time())) {
        timed->timed_out = true;
        cspr_control_unwait(timed);
    }
}

void cspr_control_each_waiter(void (*fn)(const cspr_control *c, void *arg), void *arg)
{
    for (unsigned b = 0; b < BUCKETS; b++)
        for (const cspr_control *c = buckets[b].first; c; c = c->next_waiter)
            fn(c, arg);
}

// --- public -----------------------------------------------------------------------------------------------------------------------

bool cspr_control_block(int op, const void *obj, int64_t deadline_ns)
{
    cspr_control *me = cspr_control_me();
    if (!me) {
        sched_yield();
        return true;
    }
    cspr_control_wait(me, op, obj, deadline_ns);
    cspr_control_go_on(me);
    return !me->timed_out;
}

static unsigned count_waiters(const void *obj)
{
    unsigned n = 0;
    for (cspr_control *c = buckets[bucket_of(obj)].first; c; c = c->next_waiter)
        n += c->waits_for == obj;
    return n;
}

static cspr_control *waiter(const void *obj, uint32_t index)
{
    cspr_control *c = buckets[bucket_of(obj)].first;
    for (;; c = c->next_waiter)
        if (c->waits_for == obj && index-- == 0)
            return c;
}

void cspr_control_wake(const void *obj, unsigned n)
{
    if (!cspr_control_here || !cspr_control_here->has_turn)
        return;
    unsigned waiting = count_waiters(obj);
    for (; n && waiting; n--, waiting--)
        cspr_control_unwait(waiter(obj, n < waiting ? cspr_control_choose(waiting) : 0));
}

bool cspr_control_waits(const void *obj)
{
    return count_waiters(obj) != 0;
}
