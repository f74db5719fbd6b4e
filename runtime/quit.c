// quit.c - SIGQUIT ends the program with the stacks of all its coroutines, exit status 2, as Go programs do.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// All is done in the handler, on whatever thread the signal came to: a thread of our own that waits for it would cost every
// program one. So what runs here takes no lock that the interrupted code may hold, and calls no malloc: see snapshot.c,
// symbols.c and walk.c. Standard output is not flushed: the signal may have interrupted that very stream.
#include "quit.h"

#include "dump.h"
#include "hooks.h"
#include "panic.h"
#include "worker.h"

#include <signal.h>

static void on_quit(int sig, siginfo_t *info, void *context)
{
    (void)sig, (void)info;
    static cspi_frames frames; // only one thread comes past the claim
    if (!cspi_end_claim_from_signal())
        return;
    cspi_walk_interrupted(&frames, context);
    cspi_say("SIGQUIT: quit\n");
    const cspi_worker *w = cspi_worker_self();
    const csp_co *co = w ? w->current : cspi_foreign_self();
    if (co) {
        cspi_say("\n");
        cspi_say_running(co);
        cspi_print_stack(&frames);
    }
    cspi_dump_at_end(&frames);
    cspi_end_process();
}

void cspi_quit_install(void)
{
    struct sigaction now, ours = {.sa_sigaction = on_quit, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigemptyset(&ours.sa_mask);
    CSP_HOOK(ignore_begin);
    bool is_free = sigaction(SIGQUIT, NULL, &now) == 0 && !(now.sa_flags & SA_SIGINFO) && now.sa_handler == SIG_DFL;
    if (is_free)
        sigaction(SIGQUIT, &ours, NULL);
    CSP_HOOK(ignore_end);
}
