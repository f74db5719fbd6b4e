// chan.h - channels: typed pipes between coroutines, as Go's.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A channel carries elements of one size, copied in and out, in the order they were sent. Capacity 0 makes every send wait
// for its receive. A NULL channel is never ready: sending to it or receiving from it parks for ever, and a select passes it
// over. Everything here may be called from coroutines, from main and from any pthread of the program (which then blocks).
//
// The memory model is Go's: a send happens before the completion of its receive; on an unbuffered channel a receive
// happens before the completion of its send; the k-th receive on a channel of capacity C happens before the completion of
// the (k+C)-th send; a close happens before a receive that returns because of it.
#ifndef CSP_CHAN_H
#define CSP_CHAN_H

#include "site.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
CSP_PUBLIC_BEGIN

typedef struct csp_chan csp_chan;
typedef struct csp_ctx csp_ctx; // context.h

// A new channel for elements of elem_size bytes with room for cap of them. elem_size 0: a pure signal. The caller owns it
// and frees it with csp_chan_free. Never NULL: out of memory is fatal. Go: make(chan T, cap).
CSP_SITE csp_chan *csp_chan_new(size_t elem_size, size_t cap);

// Frees c and what is still buffered in it. NULL: nothing. Panics ("free of channel in use") when somebody is parked on it.
// Allowed as soon as a call proves that the others are done with it (the last value was received, csp_wg_wait returned).
// To the detector it is a write: a use by another coroutine that is not ordered before it is a race.
CSP_SITE void csp_chan_free(csp_chan *c);

// Sends a copy of *v. Parks while the buffer is full, or until a receiver takes it when there is no buffer. Panics with
// "send on closed channel", also when c is closed while the send is parked. NULL channel: parks for ever. v may be NULL when
// elem_size is 0. Go: c <- v.
CSP_SITE void csp_send(csp_chan *c, const void *v);

// Receives into *v. Parks while there is nothing to receive. True: *v is a value that was sent. False: c is closed and
// drained, *v was zeroed. v may be NULL: the value is dropped. NULL channel: parks for ever. Go: v, ok = <-c.
CSP_SITE bool csp_recv(csp_chan *c, void *v);

// As csp_send, but gives up at an instant of csp_now(), or when ctx is cancelled or its deadline passes (NULL, background:
// never). True: sent. False: gave up, nothing was sent and nothing is ordered, but for a cancellation before the return that
// reports it; errno is ETIMEDOUT or ECANCELED. What can be done at once is done although the limit is over. NULL channel: parks
// until the limit. Go: select { case c <- v: case <-ctx.Done(): }.
CSP_SITE bool csp_send_until(csp_chan *c, const void *v, int64_t at);
CSP_SITE bool csp_send_ctx(csp_chan *c, const void *v, csp_ctx *ctx);

// As csp_recv, with the limits of csp_send_until and csp_send_ctx. 1: received. 0: gave up, errno says why, *v is untouched. -1:
// closed and drained, *v was zeroed. NULL channel: parks until the limit.
CSP_SITE int csp_recv_until(csp_chan *c, void *v, int64_t at);
CSP_SITE int csp_recv_ctx(csp_chan *c, void *v, csp_ctx *ctx);

// Sends if that needs no waiting, and never parks. False: it would have parked (also: NULL channel); nothing was sent, and
// nothing is ordered by it. Panics with "send on closed channel". Go: select { case c <- v: default: }.
CSP_SITE bool csp_try_send(csp_chan *c, const void *v);

// Receives if that needs no waiting, and never parks. 1: received. 0: it would have parked (also: NULL channel), *v is
// untouched. -1: closed and drained, *v was zeroed. Go: select { case v, ok = <-c: default: }.
CSP_SITE int csp_try_recv(csp_chan *c, void *v);

// Closes c: what is buffered can still be received, later receives return false, parked receivers return false now. Parked
// senders panic. Panics with "close of nil channel" (NULL) and "close of closed channel". Never parks. Only senders should
// close, and once; a send that is not ordered before the close is a race on the channel. Go: close(c).
CSP_SITE void csp_close(csp_chan *c);

// Elements buffered now, and room for elements in all; 0 for NULL. They order nothing: the answer may be old already.
CSP_SITE size_t csp_len(const csp_chan *c);
CSP_SITE size_t csp_cap(const csp_chan *c);

CSP_PUBLIC_END
#ifdef __cplusplus
}
#endif
#endif
