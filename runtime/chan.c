// chan.c - channels: a ring of slots, two queues of waiters, and elements handed straight to whoever waits.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One lock per channel guards everything. A partner that is found waiting gets its element copied through its own buffer by
// the one that found it, and is readied after the lock was released (rules W1 and W2 of waitq.h): neither side looks at the
// channel after that, so a receiver of the last value may free it.
//
// Detector. Each operation notes its use of the channel and the accesses to the caller's element outside the lock; what
// orders sender and receiver is told under it, in the order in which it happens, for a parked partner with its task. A
// sender's element counts as read before its release; a receiver's as written after its own wake-up.
// See: Go's chan.go for the semantics, docs/architecture.md.
#include "chan.h"

#include "base/atomic.h"
#include "csp/go.h"
#include "panic.h"

#include <stdint.h>
#include <stdlib.h>

typedef struct cspi_word {
    uint64_t bits;
} __attribute__((packed, may_alias)) cspi_word; // wherever an element may lie

// memcpy would be seen by the detector's interceptors as an access of whoever runs here, at the wrong buffer and place.
static void copy_elem(void *to, const void *from, size_t n)
{
    if (n == sizeof(uint64_t)) { // the size of most elements
        *(cspi_word *)to = *(const cspi_word *)from;
        return;
    }
    unsigned char *d = to;
    const unsigned char *s = from;
    for (; n >= sizeof(uint64_t); n -= sizeof(uint64_t), d += sizeof(uint64_t), s += sizeof(uint64_t)) {
        uint64_t word;
        __builtin_memcpy(&word, s, sizeof word);
        __builtin_memcpy(d, &word, sizeof word);
        __asm__ volatile("" : "+r"(d)); // keeps the loop from being turned into a call of memcpy
    }
    for (; n; n--, d++, s++) {
        *d = *s;
        __asm__ volatile("" : "+r"(d));
    }
}

static void zero_elem(void *to, size_t n)
{
    unsigned char *d = to;
    for (; n; n--, d++) {
        *d = 0;
        __asm__ volatile("" : "+r"(d));
    }
}

static unsigned char *slot_of(csp_chan *c, size_t slot)
{
    return c->slots + slot * c->elem_size;
}

static size_t next_slot(const csp_chan *c, size_t slot)
{
    return slot + 1 == c->cap ? 0 : slot + 1;
}

// --- making and freeing ---------------------------------------------------------------------------------------------------

CSPI_IN_PUBLIC csp_chan *make_chan(size_t elem_size, size_t cap, const csp_site *site)
{
    size_t bytes;
    if (__builtin_mul_overflow(elem_size, cap, &bytes) || __builtin_add_overflow(bytes, sizeof(csp_chan), &bytes))
        csp_panic("csp_chan_new: size out of range");
    // Not hidden from the detector: the channel is a block of the program's heap, with this call as its allocation.
    csp_chan *c = malloc(bytes);
    if (!c)
        cspi_fatal("out of memory: channel of %zu elements of %zu bytes", cap, elem_size);
    *c = (csp_chan){.elem_size = elem_size, .cap = cap};
    c->ch = CSP_HOOK_VALUE(chan_new, NULL, c, cap, elem_size, site);
    (void)site;
    return c;
}

csp_chan *cspi_chan_new(size_t elem_size, size_t cap, const csp_site *site)
{
    return make_chan(elem_size, cap, site);
}

csp_chan *csp_chan_new(size_t elem_size, size_t cap)
{
    CSPI_FRAME();
    return make_chan(elem_size, cap, CSP_HOOK_VALUE(take_site, NULL));
}

void cspi_chan_on_free(csp_chan *c, void (*on_free)(void *arg), void *arg)
{
    c->on_free = on_free;
    c->on_free_arg = arg;
}

// Somebody parked and undecided.
static bool has_waiter_locked(const cspi_waitq *q)
{
    for (const cspi_waiter *w = q->head; w; w = w->next) {
        const cspi_chan_waiter *cw = (const cspi_chan_waiter *)w;
        if (!cw->sel || !csp_load_rlx(&cw->sel->fired)) // relaxed: only whether; nothing is read after it
            return true;
    }
    return false;
}

void cspi_chan_free(csp_chan *c)
{
    if (c->on_free)
        c->on_free(c->on_free_arg);
    // A select that was decided through another channel may not have left our queues yet (I3): it is runnable, let it.
    for (;;) {
        cspi_lock_acquire(&c->lock);
        bool parked = has_waiter_locked(&c->senders) || has_waiter_locked(&c->receivers);
        bool empty = cspi_waitq_empty(&c->senders) && cspi_waitq_empty(&c->receivers);
        cspi_lock_release(&c->lock);
        if (parked)
            csp_panic("free of channel in use");
        if (empty)
            break;
        csp_yield();
    }
    CSP_HOOK(chan_free, c->ch);
    free(c);
}

void csp_chan_free(csp_chan *c)
{
    CSPI_FRAME();
    CSPI_POINT(CLOSE, c);
    (void)CSP_HOOK_VALUE(take_site, NULL);
    if (!c)
        return;
    CSP_HOOK(chan_use, c->ch, CSP_CHAN_USE_FREE);
    cspi_chan_free(c);
}

// --- one attempt ----------------------------------------------------------------------------------------------------------

// Takes the first waiter that can still be had off the queue. One that belongs to a select is had by deciding the select.
static cspi_chan_waiter *claim_waiter_locked(cspi_waitq *q)
{
    for (cspi_waiter *w = q->head; w; w = w->next) {
        cspi_chan_waiter *cw = (cspi_chan_waiter *)w;
        uint32_t undecided = 0;
        if (cw->sel && !csp_cas_acqrel(&cw->sel->fired, &undecided, 1)) // the claim of select.c: one exchange decides
            continue;
        if (cw->sel)
            cw->sel->winner = cw;
        cspi_waitq_remove(q, w);
        return cw;
    }
    return NULL;
}

// The order of an element that goes from the current task to a waiting receiver.
static void note_handoff_locked(csp_chan *c, csp_co *receiver)
{
    if (c->cap) {
        CSP_HOOK(chan_send, c->ch, c->send_slot, NULL);
        CSP_HOOK(chan_recv, c->ch, c->recv_slot, cspi_task(receiver));
    } else {
        CSP_HOOK(chan_rendezvous, c->ch, cspi_task(receiver));
    }
    (void)receiver;
}

static void hand_over_locked(csp_chan *c, cspi_chan_waiter *receiver, const void *v)
{
    if (receiver->buf)
        copy_elem(receiver->buf, v, c->elem_size);
    receiver->done = true;
    if (c->cap) { // the element was send number n and receive number n, though it never lay in the slot
        c->send_slot = next_slot(c, c->send_slot);
        c->recv_slot = next_slot(c, c->recv_slot);
    }
}

static void put_locked(csp_chan *c, const void *v)
{
    copy_elem(slot_of(c, c->send_slot), v, c->elem_size);
    c->send_slot = next_slot(c, c->send_slot);
    csp_store_rlx(&c->count, c->count + 1); // relaxed: guarded by the lock; csp_len peeks
}

cspi_outcome cspi_chan_send_locked(csp_chan *c, const void *v, csp_co **wake)
{
    if (c->closed)
        return CSPI_CLOSED;
    cspi_chan_waiter *receiver = claim_waiter_locked(&c->receivers);
    if (receiver) {
        note_handoff_locked(c, receiver->base.co);
        hand_over_locked(c, receiver, v);
        *wake = receiver->base.co;
        return CSPI_DONE;
    }
    if (c->count == c->cap)
        return CSPI_WOULD_PARK;
    CSP_HOOK(chan_send, c->ch, c->send_slot, NULL);
    put_locked(c, v);
    return CSPI_DONE;
}

static void take_locked(csp_chan *c, void *v)
{
    CSP_HOOK(chan_recv, c->ch, c->recv_slot, NULL);
    if (v)
        copy_elem(v, slot_of(c, c->recv_slot), c->elem_size);
    c->recv_slot = next_slot(c, c->recv_slot);
    csp_store_rlx(&c->count, c->count - 1); // relaxed: guarded by the lock; csp_len peeks
}

// A receiver met a parked sender: its element is ours (no buffer), or takes the slot that we have just emptied.
static void take_from_sender_locked(csp_chan *c, cspi_chan_waiter *sender, void *v)
{
    if (c->cap) {
        take_locked(c, v);
        CSP_HOOK(chan_send, c->ch, c->send_slot, cspi_task(sender->base.co));
        put_locked(c, sender->buf);
    } else {
        CSP_HOOK(chan_rendezvous, c->ch, cspi_task(sender->base.co));
        if (v)
            copy_elem(v, sender->buf, c->elem_size);
    }
    sender->done = true;
}

cspi_outcome cspi_chan_recv_locked(csp_chan *c, void *v, csp_co **wake)
{
    cspi_chan_waiter *sender = claim_waiter_locked(&c->senders);
    if (sender) {
        take_from_sender_locked(c, sender, v);
        *wake = sender->base.co;
        return CSPI_DONE;
    }
    if (c->count) {
        take_locked(c, v);
        return CSPI_DONE;
    }
    if (!c->closed)
        return CSPI_WOULD_PARK;
    CSP_HOOK(chan_recv_closed, c->ch, NULL);
    if (v)
        zero_elem(v, c->elem_size);
    return CSPI_CLOSED;
}

// --- send and receive -----------------------------------------------------------------------------------------------------

__attribute__((noreturn)) static void park_on_nil(int op, const csp_site *site)
{
    const cspi_wait wait = {.op = op, .site = site};
    cspi_self(); // starts the runtime, if this is its first call
    for (;;)
        cspi_park(&wait, NULL);
}

// Parks in q, with c->lock held; true: the operation happened, false: c was closed.
static bool park_in_queue(csp_chan *c, cspi_waitq *q, int op, void *buf, const csp_site *site)
{
    cspi_chan_waiter w = {.base.co = cspi_self(), .buf = buf};
    const cspi_wait wait = {.op = op, .obj = c, .ch = c->ch, .site = site};
    cspi_waitq_push(q, &w.base);
    cspi_park(&wait, &c->lock);
    return w.done;
}

void csp_send(csp_chan *c, const void *v)
{
    CSPI_FRAME();
    CSPI_POINT(SEND, c);
    const csp_site *site = CSP_HOOK_VALUE(take_site, NULL);
    if (!c)
        park_on_nil(CSP_WAIT_SEND, site);
    CSP_HOOK(chan_use, c->ch, CSP_CHAN_USE_SEND);
    CSP_HOOK(read_range, v, c->elem_size);
    csp_co *wake = NULL;
    cspi_lock_acquire(&c->lock);
    cspi_outcome outcome = cspi_chan_send_locked(c, v, &wake);
    if (outcome == CSPI_WOULD_PARK) {
        if (!park_in_queue(c, &c->senders, CSP_WAIT_SEND, (void *)(uintptr_t)v, site))
            csp_panic("send on closed channel");
        return;
    }
    cspi_lock_release(&c->lock);
    if (outcome == CSPI_CLOSED)
        csp_panic("send on closed channel");
    if (wake)
        cspi_ready(wake);
}

bool csp_recv(csp_chan *c, void *v)
{
    CSPI_FRAME();
    CSPI_POINT(RECV, c);
    const csp_site *site = CSP_HOOK_VALUE(take_site, NULL);
    if (!c)
        park_on_nil(CSP_WAIT_RECV, site);
    CSP_HOOK(chan_use, c->ch, CSP_CHAN_USE_RECV);
    size_t elem_size = c->elem_size; // c may be gone when we are done
    csp_co *wake = NULL;
    cspi_lock_acquire(&c->lock);
    cspi_outcome outcome = cspi_chan_recv_locked(c, v, &wake);
    if (outcome == CSPI_WOULD_PARK)
        outcome = park_in_queue(c, &c->receivers, CSP_WAIT_RECV, v, site) ? CSPI_DONE : CSPI_CLOSED;
    else
        cspi_lock_release(&c->lock);
    if (wake)
        cspi_ready(wake);
    if (v)
        CSP_HOOK(write_range, v, elem_size);
    (void)elem_size;
    return outcome == CSPI_DONE;
}

CSPI_IN_PUBLIC bool send_within(csp_chan *c, const void *v, cspi_limit limit, const csp_site *site)
{
    csp_co *wake = NULL;
    cspi_outcome outcome = CSPI_WOULD_PARK;
    if (c) {
        CSP_HOOK(chan_use, c->ch, CSP_CHAN_USE_SEND);
        CSP_HOOK(read_range, v, c->elem_size);
        cspi_lock_acquire(&c->lock);
        outcome = cspi_chan_send_locked(c, v, &wake);
        cspi_lock_release(&c->lock);
    }
    if (outcome == CSPI_WOULD_PARK)
        outcome = cspi_chan_wait_limited(c, true, (void *)(uintptr_t)v, &limit, site);
    if (outcome == CSPI_CLOSED)
        csp_panic("send on closed channel");
    if (wake)
        cspi_ready(wake);
    return outcome == CSPI_DONE;
}

bool csp_send_until(csp_chan *c, const void *v, int64_t at)
{
    CSPI_FRAME();
    CSPI_POINT(SEND, c);
    return send_within(c, v, (cspi_limit){.until = at}, CSP_HOOK_VALUE(take_site, NULL));
}

bool csp_send_ctx(csp_chan *c, const void *v, csp_ctx *ctx)
{
    CSPI_FRAME();
    CSPI_POINT(SEND, c);
    return send_within(c, v, (cspi_limit){.until = CSPI_NO_LIMIT, .ctx = ctx}, CSP_HOOK_VALUE(take_site, NULL));
}

CSPI_IN_PUBLIC int recv_within(csp_chan *c, void *v, cspi_limit limit, const csp_site *site)
{
    csp_co *wake = NULL;
    cspi_outcome outcome = CSPI_WOULD_PARK;
    size_t elem_size = 0; // c may be gone when we are done
    if (c) {
        CSP_HOOK(chan_use, c->ch, CSP_CHAN_USE_RECV);
        elem_size = c->elem_size;
        cspi_lock_acquire(&c->lock);
        outcome = cspi_chan_recv_locked(c, v, &wake);
        cspi_lock_release(&c->lock);
    }
    if (outcome == CSPI_WOULD_PARK)
        outcome = cspi_chan_wait_limited(c, false, v, &limit, site);
    if (wake)
        cspi_ready(wake);
    if (outcome == CSPI_WOULD_PARK)
        return 0;
    if (v)
        CSP_HOOK(write_range, v, elem_size);
    (void)elem_size;
    return outcome == CSPI_DONE ? 1 : -1;
}

int csp_recv_until(csp_chan *c, void *v, int64_t at)
{
    CSPI_FRAME();
    CSPI_POINT(RECV, c);
    return recv_within(c, v, (cspi_limit){.until = at}, CSP_HOOK_VALUE(take_site, NULL));
}

int csp_recv_ctx(csp_chan *c, void *v, csp_ctx *ctx)
{
    CSPI_FRAME();
    CSPI_POINT(RECV, c);
    return recv_within(c, v, (cspi_limit){.until = CSPI_NO_LIMIT, .ctx = ctx}, CSP_HOOK_VALUE(take_site, NULL));
}

bool csp_try_send(csp_chan *c, const void *v)
{
    CSPI_FRAME();
    CSPI_POINT(TRY_SEND, c);
    (void)CSP_HOOK_VALUE(take_site, NULL);
    if (!c)
        return false;
    CSP_HOOK(chan_use, c->ch, CSP_CHAN_USE_SEND);
    CSP_HOOK(read_range, v, c->elem_size);
    if (!cspi_chan_looks_ready(c, true))
        return false;
    csp_co *wake = NULL;
    cspi_lock_acquire(&c->lock);
    cspi_outcome outcome = cspi_chan_send_locked(c, v, &wake);
    cspi_lock_release(&c->lock);
    if (outcome == CSPI_CLOSED)
        csp_panic("send on closed channel");
    if (wake)
        cspi_ready(wake);
    return outcome == CSPI_DONE;
}

int csp_try_recv(csp_chan *c, void *v)
{
    CSPI_FRAME();
    CSPI_POINT(TRY_RECV, c);
    (void)CSP_HOOK_VALUE(take_site, NULL);
    if (!c)
        return 0;
    CSP_HOOK(chan_use, c->ch, CSP_CHAN_USE_RECV);
    if (!cspi_chan_looks_ready(c, false))
        return 0;
    size_t elem_size = c->elem_size; // c may be gone when we are done
    csp_co *wake = NULL;
    cspi_lock_acquire(&c->lock);
    cspi_outcome outcome = cspi_chan_recv_locked(c, v, &wake);
    cspi_lock_release(&c->lock);
    if (outcome == CSPI_WOULD_PARK)
        return 0;
    if (wake)
        cspi_ready(wake);
    if (v)
        CSP_HOOK(write_range, v, elem_size);
    (void)elem_size;
    return outcome == CSPI_DONE ? 1 : -1;
}

static void note_posted_locked(csp_chan *c, csp_co *receiver, void *snapshot)
{
    if (c->cap)
        CSP_HOOK(chan_recv, c->ch, c->recv_slot, cspi_task(receiver));
    else
        CSP_HOOK(snapshot_acquire, snapshot, cspi_task(receiver));
    (void)c, (void)receiver, (void)snapshot;
}

bool cspi_chan_post(csp_chan *c, const void *v, void *snapshot)
{
    cspi_lock_acquire(&c->lock);
    cspi_chan_waiter *receiver = c->closed ? NULL : claim_waiter_locked(&c->receivers);
    bool room = !c->closed && c->count < c->cap;
    csp_co *wake = NULL;
    if (c->cap && (receiver || room))
        CSP_HOOK(chan_send_snapshot, c->ch, c->send_slot, snapshot);
    if (receiver) {
        wake = receiver->base.co;
        note_posted_locked(c, wake, snapshot);
        hand_over_locked(c, receiver, v);
    } else if (room) {
        put_locked(c, v);
    }
    cspi_lock_release(&c->lock);
    if (wake)
        cspi_ready(wake);
    return receiver || room;
}

// --- close, len, cap ------------------------------------------------------------------------------------------------------

// Decides all who wait, leaving their `done` false: receivers get zeros and the close's order, senders will panic. They are
// the caller's to ready.
static cspi_waiter *close_locked(csp_chan *c)
{
    cspi_waitq woken = {0};
    cspi_chan_waiter *w;
    csp_store_rlx(&c->closed, true); // relaxed: guarded by the lock; others only look
    CSP_HOOK(chan_close, c->ch);
    while ((w = claim_waiter_locked(&c->receivers))) {
        CSP_HOOK(chan_recv_closed, c->ch, cspi_task(w->base.co));
        if (w->buf)
            zero_elem(w->buf, c->elem_size);
        cspi_waitq_push(&woken, &w->base);
    }
    while ((w = claim_waiter_locked(&c->senders)))
        cspi_waitq_push(&woken, &w->base);
    return woken.head;
}

void cspi_chan_close(csp_chan *c)
{
    cspi_lock_acquire(&c->lock);
    bool again = c->closed;
    cspi_waiter *woken = again ? NULL : close_locked(c);
    cspi_lock_release(&c->lock);
    if (again)
        csp_panic("close of closed channel");
    cspi_waitq_ready_all(woken);
}

void csp_close(csp_chan *c)
{
    CSPI_FRAME();
    CSPI_POINT(CLOSE, c);
    (void)CSP_HOOK_VALUE(take_site, NULL);
    if (!c)
        csp_panic("close of nil channel");
    CSP_HOOK(chan_use, c->ch, CSP_CHAN_USE_CLOSE);
    cspi_chan_close(c);
}

size_t csp_len(const csp_chan *c)
{
    CSPI_FRAME();
    CSPI_POINT(LEN, c);
    (void)CSP_HOOK_VALUE(take_site, NULL);
    if (!c)
        return 0;
    CSP_HOOK(chan_use, c->ch, CSP_CHAN_USE_LOOK);
    return csp_load_rlx(&c->count); // relaxed: a snapshot, it orders nothing
}

size_t csp_cap(const csp_chan *c)
{
    CSPI_FRAME();
    (void)CSP_HOOK_VALUE(take_site, NULL);
    if (!c)
        return 0;
    CSP_HOOK(chan_use, c->ch, CSP_CHAN_USE_LOOK);
    return c->cap;
}
