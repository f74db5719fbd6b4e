// signal.h - operating system signals as values on channels, and as the end of a context; as Go's os/signal.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//     csp_chan *interrupted = csp_chan_new(sizeof(int), 1);
//     csp_signal_notify(interrupted, SIGINT);
//     csp_signal_notify(interrupted, SIGTERM);
//     int sig;
//     csp_recv(interrupted, &sig);     // parks until one comes
//
// A signal that anybody here listens to no longer does what it did before; once the last one has stopped, it does again.
// Signals that come faster than they are passed on count once, as the system's own do. A signal that every thread of the
// process blocks is not delivered to anybody. While a coroutine is parked on a channel that listens, or a context listens, the
// program is not taken for deadlocked; it then idles without using the processor.
//
// SIGKILL and SIGSTOP, signals that a thread's own fault raises (SIGSEGV, SIGBUS, SIGFPE, SIGILL), and numbers that are no
// signal, panic in all functions that take one: "csp_signal: cannot handle signal N".
//
// In a child made by fork nobody listens, and all signals do what they did before.
#ifndef CSP_SIGNAL_H
#define CSP_SIGNAL_H

#include "context.h"

#ifdef __cplusplus
extern "C" {
#endif
CSP_PUBLIC_BEGIN

// From now on sig is sent to c (of int) each time it comes. The sending never blocks: what does not fit is dropped, so give c
// room for what must not be missed. Several channels may listen to one signal, and one channel to several; the same pair
// twice is one. Does not park. This call happens before the receive. A NULL channel, and one of other elements, panics.
CSP_SITE void csp_signal_notify(csp_chan *c, int sig);
// c listens to nothing any more: when this returns the last signal has been sent to it. c may then be closed; while it listens it
// must not. csp_chan_free(c) does this by itself. A channel that does not listen: nothing. Does not park.
void csp_signal_stop(csp_chan *c);

// A context under parent (NULL: background) that the first sig cancels, with sig as its cause. From then on, or when it is
// cancelled otherwise, it does not listen any more, so a second one may end the program. The caller's, to be freed with
// csp_ctx_free. Does not park. This call happens before what the cancelling causes. (signal.NotifyContext)
CSP_SITE csp_ctx *csp_signal_ctx(csp_ctx *parent, int sig);

// sig is ignored, and nobody listens to it any more. Does not park.
void csp_signal_ignore(int sig);
// sig does what it did before the first of these functions touched it, and nobody listens to it any more. Does not park.
void csp_signal_reset(int sig);

CSP_PUBLIC_END
#ifdef __cplusplus
}
#endif
#endif
