// signal.c - signals are noted by a handler and passed on by a thread of its own.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The handler sets a bit and wakes the thread: nothing else is safe there. The thread, started with the first listener, holds the
// signals' lock while it sends, so whoever has taken a listener off the list under that lock knows that no more is sent to it.
//
// A context that listens hangs on the list without a reference, as a waiter of the context (context.h): when that is cancelled,
// at the latest by its last csp_ctx_free, the waiter's call takes the listener off and frees it. So under the lock the context
// of a listener on the list is still there, though its count may be 0. It is cancelled by a coroutine, as for a deadline.
// Ordering:  S1 handler: fetch-or-release of pending -> exchange-acquire by the thread (nothing but the bits goes with it)
//            S2 handler: increments event after pending; the thread reads event before pending, so it sleeps only when no
//               bit was set since
//            S3 the thread sets delivering before it takes pending, and clears it once whom it woke is queued: a looker that
//               finds pending empty and then not delivering sees the lists, and those in the run queues, as they are
// See: Go's os/signal, runtime/sigqueue.go
#include "signal.h"

#include "base/atomic.h"
#include "base/futex.h"
#include "base/lock.h"
#include "chan.h"
#include "context.h"
#include "csp/go.h"
#include "hooks.h"
#include "panic.h"
#include "sched.h"
#include "worker.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { N_SIGNALS = 65 }; // 1 to 64

// A channel or a context that listens to one signal.
typedef struct listener {
    cspi_ctx_waiter waiter; // first: its call gets its address; contexts only
    struct listener *next;  // under signals.lock
    int sig;
    csp_chan *chan; // NULL: a context
    csp_ctx *ctx;   // not referenced
    void *snapshot; // what the caller of csp_signal_notify knew
} listener;

// Under signals.lock.
struct disposition {
    int n_listeners;
    bool is_ignored;         // by csp_signal_ignore
    bool is_ours;            // `before` is valid
    struct sigaction before; // what it did before us
};

static struct {
    cspi_lock lock;
    // --- under lock
    listener *list;
    struct disposition of[N_SIGNALS];
    bool has_thread; // atomic for the all-asleep check
    // --- atomic
    uint64_t pending; // S1: bit sig - 1
    uint32_t event;   // S2, futex
    bool delivering;  // S3
} signals;

// --- passing on -------------------------------------------------------------------------------------------------------------

static void note_signal(int sig)
{
    __atomic_fetch_or(&signals.pending, UINT64_C(1) << (sig - 1), __ATOMIC_RELEASE); // S1
    csp_add_seq(&signals.event, 1u);                                                 // S2
    cspi_futex_wake(&signals.event, 1);
}

static void cancel_by_signal(void *listening)
{
    listener *l = listening; // a copy of ours
    csp_ctx *ctx = l->ctx;
    int sig = l->sig;
    CSP_HOOK(ignore_begin);
    free(l);
    CSP_HOOK(ignore_end);
    csp_ctx_cancel_cause(ctx, sig);
    csp_ctx_free(ctx);
}

static listener *alloc_listener(void)
{
    CSP_HOOK(ignore_begin);
    listener *l = malloc(sizeof *l);
    CSP_HOOK(ignore_end);
    if (!l)
        cspi_fatal("out of memory: signal");
    return l;
}

static void free_listener(listener *l)
{
    CSP_HOOK(snapshot_free, l->snapshot);
    CSP_HOOK(ignore_begin);
    free(l);
    CSP_HOOK(ignore_end);
}

static void tell_locked(const listener *l)
{
    if (l->chan) {
        cspi_chan_post(l->chan, &l->sig, l->snapshot);
    } else if (cspi_ctx_try_ref(l->ctx)) {
        listener *copy = alloc_listener();
        *copy = (listener){.ctx = l->ctx, .sig = l->sig};
        cspi_go_from(cancel_by_signal, copy, l->snapshot);
    }
}

static void deliver_locked(void)
{
    uint64_t pending = __atomic_exchange_n(&signals.pending, 0, __ATOMIC_SEQ_CST); // S1, S3
    if (!pending)
        return;
    for (const listener *l = signals.list; l; l = l->next)
        if (pending >> (l->sig - 1) & 1)
            tell_locked(l);
}

static void deliver(void)
{
    cspi_lock_acquire(&signals.lock);
    csp_store_seq(&signals.delivering, true); // S3
    deliver_locked();
    csp_store_seq(&signals.delivering, false); // S3
    cspi_lock_release(&signals.lock);
    cspi_rest_check(); // who asked meanwhile was told to wait for us
}

static void *pass_on(void *unused)
{
    (void)unused;
    CSP_HOOK(worker_start);
    for (;;) {
        uint32_t seen = csp_load_seq(&signals.event); // S2
        if (csp_load_acq(&signals.pending))
            deliver();
        cspi_futex_wait(&signals.event, seen, CSPI_FOREVER);
    }
    return NULL;
}

// Signals do not come to this thread, so that no handler of the program runs in it.
static void start_thread_locked(void)
{
    if (signals.has_thread)
        return;
    sigset_t all, old;
    pthread_t thread;
    sigfillset(&all);
    CSP_HOOK(ignore_begin);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    int error = pthread_create(&thread, NULL, pass_on, NULL);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (!error)
        pthread_detach(thread);
    CSP_HOOK(ignore_end);
    if (error)
        cspi_fatal("cannot start a thread for signals: %s", strerror(error));
    csp_store_rel(&signals.has_thread, true);
}

// --- the list ---------------------------------------------------------------------------------------------------------------

static void check_signal(int sig)
{
    static const int refused[] = {SIGKILL, SIGSTOP, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
    bool ok = (sig >= 1 && sig < 32) || (sig >= SIGRTMIN && sig <= SIGRTMAX); // between them are libc's own
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        ok = ok && sig != refused[i];
    if (!ok)
        csp_panic("csp_signal: cannot handle signal %d", sig);
}

// Makes the system do what our state says.
static void apply_locked(int sig)
{
    struct disposition *d = &signals.of[sig];
    struct sigaction action = {.sa_flags = SA_RESTART | SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    action.sa_handler = d->n_listeners ? note_signal : SIG_IGN;
    CSP_HOOK(ignore_begin);
    if (d->n_listeners || d->is_ignored)
        sigaction(sig, &action, d->is_ours ? NULL : &d->before);
    else if (d->is_ours)
        sigaction(sig, &d->before, NULL);
    CSP_HOOK(ignore_end);
    d->is_ours = d->n_listeners || d->is_ignored;
}

static void add_locked(listener *l)
{
    l->next = signals.list;
    signals.list = l;
    signals.of[l->sig].n_listeners++;
    start_thread_locked();
    apply_locked(l->sig);
}

// Whose listeners leave: each field that is set must match.
typedef struct leaving {
    const csp_chan *chan;
    int sig;
    const listener *only;
} leaving;

static bool leaves(const listener *l, const leaving *who)
{
    return (!who->chan || l->chan == who->chan) && (!who->sig || l->sig == who->sig) && (!who->only || l == who->only);
}

// Signals that have come are told first. A context's listener is only taken off the list: its call frees it.
static void remove_locked(leaving who)
{
    deliver_locked();
    for (listener **link = &signals.list, *l; (l = *link);) {
        if (!leaves(l, &who)) {
            link = &l->next;
            continue;
        }
        *link = l->next;
        signals.of[l->sig].n_listeners--;
        apply_locked(l->sig);
        if (l->chan)
            free_listener(l);
    }
}

// --- channels ---------------------------------------------------------------------------------------------------------------

static void stop_freed(void *chan)
{
    csp_signal_stop(chan);
}

static bool listens_locked(const csp_chan *c, int sig)
{
    for (const listener *l = signals.list; l; l = l->next)
        if (l->chan == c && l->sig == sig)
            return true;
    return false;
}

void csp_signal_notify(csp_chan *c, int sig)
{
    CSPI_FRAME();
    (void)CSP_HOOK_VALUE(take_site, NULL);
    check_signal(sig);
    if (!c)
        csp_panic("csp_signal_notify using NULL channel");
    if (c->elem_size != sizeof(int))
        csp_panic("csp_signal_notify: the channel's elements must be int");
    (void)cspi_self(); // the runtime has started
    listener *l = alloc_listener();
    *l = (listener){.sig = sig, .chan = c, .snapshot = CSP_HOOK_VALUE(snapshot_new, NULL)};
    cspi_lock_acquire(&signals.lock);
    bool is_new = !listens_locked(c, sig);
    if (is_new) {
        cspi_chan_on_free(c, stop_freed, c);
        add_locked(l);
    }
    cspi_lock_release(&signals.lock);
    if (!is_new)
        free_listener(l);
}

void csp_signal_stop(csp_chan *c)
{
    if (!c)
        return;
    cspi_lock_acquire(&signals.lock);
    if (c->on_free == stop_freed) {
        remove_locked((leaving){.chan = c});
        cspi_chan_on_free(c, NULL, NULL);
    }
    cspi_lock_release(&signals.lock);
}

// --- contexts ---------------------------------------------------------------------------------------------------------------

static void end_listener(cspi_ctx_waiter *w, int err)
{
    (void)err;
    listener *l = (listener *)w;
    cspi_lock_acquire(&signals.lock);
    remove_locked((leaving){.only = l});
    cspi_lock_release(&signals.lock);
    CSP_HOOK(snapshot_free, l->waiter.snapshot);
    free_listener(l);
}

csp_ctx *csp_signal_ctx(csp_ctx *parent, int sig)
{
    CSPI_FRAME();
    const csp_site *site = CSP_HOOK_VALUE(take_site, NULL);
    check_signal(sig);
    (void)cspi_self();
    csp_ctx *ctx = cspi_ctx_with_cancel(parent, site);
    listener *l = alloc_listener();
    *l = (listener){.sig = sig, .ctx = ctx, .snapshot = CSP_HOOK_VALUE(snapshot_new, NULL)};
    l->waiter.is_the_calls = true;
    bool added;
    cspi_lock_acquire(&signals.lock); // until it is on both lists
    cspi_ctx_waiter_add(ctx, &l->waiter, end_listener, &added);
    if (added)
        add_locked(l);
    cspi_lock_release(&signals.lock);
    if (!added) // cancelled with its parent
        free_listener(l);
    return ctx;
}

// --- signals ----------------------------------------------------------------------------------------------------------------

static void silence(int sig, bool is_ignored)
{
    check_signal(sig);
    cspi_lock_acquire(&signals.lock);
    signals.of[sig].is_ignored = is_ignored;
    remove_locked((leaving){.sig = sig});
    apply_locked(sig);
    cspi_lock_release(&signals.lock);
}

void csp_signal_ignore(int sig)
{
    CSPI_FRAME();
    silence(sig, true);
}

void csp_signal_reset(int sig)
{
    CSPI_FRAME();
    silence(sig, false);
}

// --- for the rest of the runtime --------------------------------------------------------------------------------------------

bool cspi_signals_are_told(void)
{
    return !csp_load_seq(&signals.pending) && !csp_load_seq(&signals.delivering); // S3, in this order
}

// No lock: nothing runs, and a signal that comes now finds the same.
bool cspi_signals_may_wake(void)
{
    if (!cspi_signals_are_told())
        return true;
    for (const listener *l = signals.list; l; l = l->next)
        if (l->ctx || l->chan->receivers.head)
            return true;
    return false;
}

int cspi_signals_threads(void)
{
    return csp_load_acq(&signals.has_thread);
}

void cspi_signals_each_channel(void (*fn)(const csp_chan *c, void *arg), void *arg)
{
    cspi_lock_acquire(&signals.lock);
    for (const listener *l = signals.list; l; l = l->next) {
        if (l->chan)
            fn(l->chan, arg);
        else
            cspi_ctx_each_channel(l->ctx, fn, arg);
    }
    cspi_lock_release(&signals.lock);
}

void cspi_signals_each_root(void (*fn)(const void *root, void *arg), void *arg)
{
    cspi_lock_acquire(&signals.lock);
    for (const listener *l = signals.list; l; l = l->next)
        fn(l->chan ? (const void *)l->chan : l->ctx, arg);
    cspi_lock_release(&signals.lock);
}

void cspi_signals_fork_lock(void)
{
    cspi_lock_acquire(&signals.lock);
}

void cspi_signals_fork_unlock(bool is_child)
{
    for (int sig = 1; is_child && sig < N_SIGNALS; sig++) {
        signals.of[sig].n_listeners = 0;
        signals.of[sig].is_ignored = false;
        apply_locked(sig);
    }
    if (is_child) { // the listeners' memory is lost
        signals.list = NULL;
        signals.has_thread = false;
        signals.pending = 0;
    }
    cspi_lock_release(&signals.lock);
}
