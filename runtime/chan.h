// chan.h - inside a channel, for select, timers and contexts.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_RUNTIME_CHAN_H
#define CSP_RUNTIME_CHAN_H

#include "base/atomic.h"
#include "csp/chan.h"
#include "limit.h"
#include "waitq.h"

// Shared by the waiters of one select: who moves `fired` from 0 to 1 decides the select.
typedef struct cspi_select cspi_select;

// One who waits to send or receive. Which fields are whose: the waiter fills all but `done`; the waker, after it has claimed
// the waiter, copies through buf and sets done.
typedef struct cspi_chan_waiter {
    cspi_waiter base;
    void *buf;        // element to send, or place to receive into (NULL: drop it)
    cspi_select *sel; // NULL: a plain send or receive
    size_t index;     // of this case in sel
    size_t elem_size; // select only: the channel may be gone when the coroutine runs again
    bool done;        // the operation happened; false after waking: the channel was closed
} cspi_chan_waiter;

struct cspi_select {
    cspi_lock lock;           // held until the coroutine is parked, so that the timer cannot wake it before
    uint32_t fired;           // atomic; moved from 0 to 1 by the one that decides the select
    cspi_chan_waiter *winner; // written by the one that moved fired; NULL: the timer
};

// Invariants, under lock:
//   I1 cap > 0: count elements sit in slots [recv_slot, recv_slot + count) modulo cap; send_slot = recv_slot + count mod cap.
//   I2 a receiver that can still be claimed waits only when count == 0, a sender only when count == cap.
//   I3 a waiter whose select was decided elsewhere is taken off the queue by its own coroutine alone.
// Slots number the operations (modulo cap), also when an element goes straight from hand to hand: then both slots advance.
struct csp_chan {
    uint64_t uses[2]; // the detector's marks for send, close and free lie here; never touched by the runtime
    // --- immutable after new
    size_t elem_size;
    size_t cap;
    void *ch; // the detector's object
    // --- set by the maker before the channel is handed out
    void (*on_free)(void *arg); // NULL: nothing; the timer behind csp_after
    void *on_free_arg;
    // --- under lock
    cspi_lock lock;
    bool closed;
    size_t count;
    size_t send_slot;
    size_t recv_slot;
    cspi_waitq senders;
    cspi_waitq receivers;
    unsigned char slots[] __attribute__((aligned(16)));
};

// As csp_chan_new, for channels made inside another call.
csp_chan *cspi_chan_new(size_t elem_size, size_t cap, const csp_site *site);
// As csp_close and csp_chan_free, inside another call that keeps the frame record. No park.
void cspi_chan_close(csp_chan *c);
void cspi_chan_free(csp_chan *c);
// csp_chan_free(c) calls on_free(arg) first: it stops whoever posts to c. Before c is handed out.
void cspi_chan_on_free(csp_chan *c, void (*on_free)(void *arg), void *arg);

// Non-blocking send from a timer: no current task, the order comes from the snapshot (may be NULL). False: full or closed,
// *v was dropped. Callable from any thread; takes the channel's lock, never parks.
bool cspi_chan_post(csp_chan *c, const void *v, void *snapshot);

typedef enum cspi_outcome { CSPI_WOULD_PARK, CSPI_DONE, CSPI_CLOSED } cspi_outcome;

// Whether a send or receive might not have to wait, without the lock. False is true of a moment of this call: what was
// found full or empty was open then, since a closed channel stays closed and that is looked at last.
static inline bool cspi_chan_looks_ready(const csp_chan *c, bool sends)
{
    // Acquire only keeps the loads in order.
    size_t count = csp_load_acq(&c->count);
    bool ready;
    if (c->cap)
        ready = sends ? count < c->cap : count > 0;
    else
        ready = csp_load_acq(sends ? &c->receivers.head : &c->senders.head) != NULL;
    return ready || csp_load_rlx(&c->closed); // relaxed: the attempt under the lock decides
}

// A send (sends) or receive that would park, within a limit: select.c. What comes of it, as the locked attempts; WOULD_PARK:
// gave up, errno says why.
cspi_outcome cspi_chan_wait_limited(csp_chan *c, bool sends, void *buf, const cspi_limit *limit, const csp_site *site);

// One attempt at an operation. Caller holds c->lock. The waiter of the partner that is to be readied after unlocking, if
// any, is left in *wake.
cspi_outcome cspi_chan_send_locked(csp_chan *c, const void *v, csp_co **wake);
cspi_outcome cspi_chan_recv_locked(csp_chan *c, void *v, csp_co **wake);

#endif
