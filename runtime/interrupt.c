// interrupt.c - the stack of a thread that runs on, taken by a signal sent to it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// SIGURG as in Go, and for its reasons: nothing happens to a program that gets one too many, debuggers pass it on, and
// hardly anybody uses out-of-band data. Our handler stays installed after the first use.
// Ordering:  R1 asker: store-release of ASKED -> handler: CAS-acquire; carries whose turn it is
//            R2 handler: store-release of ANSWERED -> asker: load-acquire; carries the frames
#include "interrupt.h"

#include "fiber.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE 1000 // naps of
#define NAP_NS 100000
// TSan keeps signals back until the thread makes a call that it knows, which may be never.
#define PATIENCE_UNDER_TSAN 50

enum { QUIET, ASKED, ANSWERING, ANSWERED };

static struct {
    uint32_t state; // atomic: R1, R2
    int tid;        // who is asked; a signal that comes too late finds another one
    cspi_frames frames;
} question;

static void on_signal(int sig, siginfo_t *info, void *context)
{
    (void)sig, (void)info;
    int saved = errno;
    uint32_t asked = ASKED;
    bool is_me = csp_load_rlx(&question.tid) == (int)syscall(SYS_gettid);     // relaxed: R1 decides
    if (is_me && csp_cas_acq(&question.state, &asked, (uint32_t)ANSWERING)) { // R1
        cspi_walk_interrupted(&question.frames, context);
        csp_store_rel(&question.state, (uint32_t)ANSWERED); // R2
    }
    errno = saved;
}

static bool install(void)
{
    struct sigaction now, ours = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};
    if (sigaction(SIGURG, NULL, &now) != 0)
        return false;
    if (now.sa_sigaction == on_signal)
        return true;
    bool is_free = !(now.sa_flags & SA_SIGINFO) && (now.sa_handler == SIG_DFL || now.sa_handler == SIG_IGN);
    return is_free && sigaction(SIGURG, &ours, NULL) == 0;
}

bool cspi_interrupt_walk(int tid, cspi_frames *frames)
{
    frames->n = 0;
    frames->cut = false;
    CSP_HOOK(ignore_begin);
    bool sent = install();
    if (sent) {
        csp_store_rlx(&question.tid, tid);               // relaxed: R1 publishes it
        csp_store_rel(&question.state, (uint32_t)ASKED); // R1
        sent = syscall(SYS_tgkill, getpid(), tid, SIGURG) == 0;
    }
    CSP_HOOK(ignore_end);
    int patience = cspi_fiber_under_tsan() ? PATIENCE_UNDER_TSAN : PATIENCE;
    for (int i = 0; sent && i < patience && csp_load_acq(&question.state) != ANSWERED; i++) { // R2
        struct timespec nap = {0, NAP_NS};
        syscall(SYS_nanosleep, &nap, NULL);
    }
    uint32_t asked = ASKED;
    csp_cas_acq(&question.state, &asked, (uint32_t)QUIET); // no longer wanted
    while (csp_load_acq(&question.state) == ANSWERING)     // R2: in the midst of it, so it comes
        csp_cpu_relax();
    bool answered = csp_load_acq(&question.state) == ANSWERED; // R2
    if (answered)
        *frames = question.frames;
    csp_store_rel(&question.state, (uint32_t)QUIET);
    return answered;
}
