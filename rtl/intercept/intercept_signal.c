// intercept_signal.c - signal handlers of the program: asynchronous ones never run inside the detector (rule G1).
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A handler that ran inside a slow path would wait for its own thread. So each handler is called through ours, which puts an
// asynchronous signal aside while in_rtl > 0; it is delivered when the detector is left (cspr_leave).
// Edge: sigaction -> the handlers it installed.
#include "control/control_libc.h"
#include "deadlock/misuse.h"
#include "support/libc.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

enum { SIGNALS = 65 };

typedef void handler_fn(int, siginfo_t *, void *);

// What the program asked for. Written under sigaction's own order: a handler that arrives meanwhile may be the old or the new.
typedef struct wanted {
    _Atomic(handler_fn *) fn; // relaxed: libc's sigaction orders it before the first delivery
    _Atomic int flags;
    sigset_t mask;
} wanted;
static wanted table[SIGNALS];

__thread uintptr_t cspr_handler_frame __attribute__((tls_model("initial-exec")));
__thread volatile int cspr_signals_pending __attribute__((tls_model("initial-exec")));
static __thread siginfo_t pending_info[SIGNALS];
static __thread bool is_pending[SIGNALS];

__thread uint64_t cspr_handlers_called __attribute__((tls_model("initial-exec")));

enum cspr_interruption cspr_signal_interruption(int sig)
{
    // relaxed: see wanted
    if (sig <= 0 || sig >= SIGNALS || !atomic_load_explicit(&table[sig].fn, memory_order_relaxed))
        return CSPR_NOT_INTERRUPTED;
    bool restarts = atomic_load_explicit(&table[sig].flags, memory_order_relaxed) & SA_RESTART;
    return restarts ? CSPR_INTERRUPTED_RESTARTS : CSPR_INTERRUPTED;
}

// Not by a call of the process's own.
static bool is_from_outside(const siginfo_t *info)
{
    bool by_call = info->si_code == SI_USER || info->si_code == SI_TKILL || info->si_code == SI_QUEUE;
    return !by_call || info->si_pid != getpid();
}

static bool is_synchronous(int sig, const siginfo_t *info)
{
    bool fault = sig == SIGSEGV || sig == SIGBUS || sig == SIGFPE || sig == SIGILL || sig == SIGTRAP || sig == SIGSYS;
    return sig == SIGABRT || (fault && info && info->si_code > 0);
}

// The handler as a call of the program's: records of the interrupted frames are kept, except on another stack, whose addresses
// say nothing about which records are still alive.
static void call_handler(int sig, siginfo_t *info, void *context)
{
    wanted *w = &table[sig];
    handler_fn *fn = atomic_load_explicit(&w->fn, memory_order_relaxed);
    if (!fn)
        return; // it was set before the kernel was told of ours
    int saved = errno;
    csp_frame *top = __csp_top;
    const csp_site *site = __csp_site;
    if (atomic_load_explicit(&w->flags, memory_order_relaxed) & SA_ONSTACK)
        __csp_top = NULL;
    if (cspr_ready && !cspr_bypass())
        cspr_acquire(w, cspr_task_current());
    cspr_handlers_called++;
    uintptr_t outer = cspr_handler_frame;
    cspr_handler_frame = (uintptr_t)__builtin_frame_address(0);
    fn(sig, info, context);
    cspr_handler_frame = outer;
    if (errno != saved && !is_synchronous(sig, info) && cspr_ready && !cspr_bypass())
        cspr_report_misuse(CSPR_SIGNAL_ERRNO, NULL, cspr_stack_here((char *)(void *)fn + 1, NULL), 0);
    __csp_top = top;
    __csp_site = site;
    errno = saved;
}

static void handle(int sig, siginfo_t *info, void *context)
{
    if (CSPR_UNLIKELY(cspr_controlled) && !is_synchronous(sig, info) && is_from_outside(info))
        cspr_control_not_replayable("a signal came from outside the process");
    if (cspr_self.in_rtl == 0 || is_synchronous(sig, info)) {
        call_handler(sig, info, context);
        return;
    }
    if (CSPR_UNLIKELY(cspr_controlled))
        cspr_control_note_signal(cspr_signal_interruption(sig));
    // NOLINTNEXTLINE(clang-analyzer-security.ArrayBound): the kernel calls us, with 64 at most
    is_pending[sig] = true; // of several, the last one counts, as with ordinary signals
    pending_info[sig] = *info;
    cspr_signals_pending = 1;
}

void cspr_signals_deliver(void)
{
    cspr_signals_pending = 0;
    for (int sig = 1; sig < SIGNALS; sig++) {
        if (!is_pending[sig])
            continue;
        sigset_t blocked = table[sig].mask, before;
        if (!(atomic_load_explicit(&table[sig].flags, memory_order_relaxed) & SA_NODEFER))
            sigaddset(&blocked, sig);
        pthread_sigmask(SIG_BLOCK, &blocked, &before);
        siginfo_t info = pending_info[sig];
        is_pending[sig] = false;
        ucontext_t context = {.uc_sigmask = before}; // where it was interrupted is inside us: nothing to show
        call_handler(sig, &info, &context);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
}

static bool is_ours(const struct sigaction *act)
{
    return (act->sa_flags & SA_SIGINFO) && act->sa_sigaction == handle;
}

static bool is_function(const struct sigaction *act)
{
    return act->sa_handler != SIG_DFL && act->sa_handler != SIG_IGN;
}

// What the kernel is to be told for the program's act, and the program for the kernel's.
static struct sigaction to_kernel(int sig, const struct sigaction *act)
{
    struct sigaction k = *act;
    if (!is_function(act))
        return k;
    table[sig].mask = act->sa_mask;
    // relaxed: see wanted
    atomic_store_explicit(&table[sig].flags, act->sa_flags, memory_order_relaxed);
    atomic_store_explicit(&table[sig].fn, (handler_fn *)(void *)act->sa_handler, memory_order_relaxed);
    k.sa_flags |= SA_SIGINFO;
    k.sa_sigaction = handle;
    return k;
}

static void from_kernel(struct sigaction *old, const wanted *before)
{
    if (!is_ours(old))
        return;
    int flags = atomic_load_explicit(&before->flags, memory_order_relaxed);
    old->sa_handler = (void (*)(int))(void *)atomic_load_explicit(&before->fn, memory_order_relaxed);
    old->sa_flags = (old->sa_flags & ~SA_SIGINFO) | (flags & SA_SIGINFO);
}

static int set_action(int sig, const struct sigaction *act, struct sigaction *old)
{
    wanted before = table[sig];
    struct sigaction k;
    if (act) {
        cspr_release_merge(&table[sig], cspr_task_current());
        k = to_kernel(sig, act);
    }
    int result = cspr_real_sigaction(sig, act ? &k : NULL, old);
    if (result == 0 && old)
        from_kernel(old, &before);
    return result;
}

CSPR_INTERCEPTOR int sigaction(int sig, const struct sigaction *act, struct sigaction *old)
{
    if (!cspr_ready || cspr_bypass() || sig <= 0 || sig >= SIGNALS)
        return cspr_real_sigaction(sig, act, old);
    return set_action(sig, act, old);
}

CSPR_INTERCEPTOR sighandler_t signal(int sig, sighandler_t fn)
{
    struct sigaction act = {.sa_handler = fn, .sa_flags = SA_RESTART}, old;
    sigemptyset(&act.sa_mask);
    sigaddset(&act.sa_mask, sig);
    return sigaction(sig, &act, &old) ? SIG_ERR : old.sa_handler;
}
