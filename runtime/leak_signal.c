// leak_signal.c - a signal makes the running program report who is stuck (the detector's option leak_check_signal).
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The handler only counts; a thread of ours does the work, with all signals blocked, so nothing of the program is interrupted.
// Signals that come while it looks make it look once more, however many.
// Ordering: L1 the handler increments before it wakes; the thread reads before it sleeps, and sleeps only on what it read.
#include "leak_signal.h"

#include "base/atomic.h"
#include "base/futex.h"
#include "hooks.h"
#include "leak.h"
#include "panic.h"
#include "worker.h"

#include <signal.h>

static uint32_t asked; // atomic, futex: L1

static void on_signal(int unused)
{
    (void)unused;
    csp_add_seq(&asked, 1u); // L1
    cspi_futex_wake(&asked, 1);
}

static void *look_when_asked(void *unused)
{
    (void)unused;
    CSP_HOOK(worker_start);
    for (uint32_t done = 0;;) {
        uint32_t seen = csp_load_seq(&asked); // L1
        if (seen == done) {
            cspi_futex_wait(&asked, seen, CSPI_FOREVER);
            continue;
        }
        done = seen;
        cspi_leak_check_aloud();
    }
    return NULL;
}

static int sig; // 0: none

static bool handles(void (*fn)(int))
{
    struct sigaction now;
    return sigaction(sig, NULL, &now) == 0 && !(now.sa_flags & SA_SIGINFO) && now.sa_handler == fn;
}

// Before the program does anything: a signal that comes early must not end it.
__attribute__((constructor(101))) static void install_handler(void)
{
    struct sigaction ours = {.sa_handler = on_signal, .sa_flags = SA_RESTART | SA_ONSTACK};
    sig = CSP_HOOK_VALUE(leak_signal, 0);
    if (!sig)
        return;
    sigemptyset(&ours.sa_mask);
    CSP_HOOK(ignore_begin);
    if (handles(SIG_DFL))
        sigaction(sig, &ours, NULL);
    CSP_HOOK(ignore_end);
}

void cspi_leak_signal_start(void)
{
    if (!sig)
        return;
    CSP_HOOK(ignore_begin);
    bool is_ours = handles(on_signal);
    CSP_HOOK(ignore_end);
    if (!is_ours)
        cspi_say("leak_check_signal: the program handles signal %d itself\n", sig);
    else if (!cspi_thread_start(look_when_asked))
        cspi_say("leak_check_signal: the system has no thread for it\n");
}
