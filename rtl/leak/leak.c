// leak.c - when coroutines are looked at for leaks: at the end of the program, and when it asks.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#define _GNU_SOURCE // sigabbrev_np
#include "leak/leak.h"

#include "deadlock/deadlock.h"
#include "report/report.h"

#include <signal.h>
#include <string.h>

// --- at the end --------------------------------------------------------------------------------------------------------------

struct end {
    uintptr_t sp;
    bool at_rest;
};

static void find_and_print(void *arg)
{
    const struct end *end = arg;
    const csp_leak_query everything = {.reachable_too = true};
    cspr_leaks all = {0};
    cspr_leaks_find(&all, &everything, end->sp, end->at_rest ? CSPR_LEAK_AT_REST : CSPR_LEAK_AT_END);
    cspr_leaks_join(&all, &everything);
    if (!cspr_flags.detect_leaks)
        all.n = 0;
    if (!all.proven && (all.n || cspr_flags.detect_memory_leaks))
        cspr_note("threads of the program could not be held still: which coroutines are stuck for ever is not known");
    cspr_leaks_print(&all);
    cspr_losses_print(&all.losses);
    if (cspr_flags.verbosity)
        cspr_note("leak check: %zu coroutines, looked at in %ld us", all.n_coroutines, (long)(all.pause_ns / 1000));
    cspr_leaks_fini(&all);
}

void cspr_leak_check(uintptr_t sp)
{
    const csp_runtime_view *runtime = cspi_runtime_view;
    if (!cspr_flags.report_bugs || !((runtime && cspr_flags.detect_leaks) || cspr_flags.detect_memory_leaks))
        return;
    struct end end = {sp, !runtime || runtime->quiesce((int64_t)cspr_flags.leak_grace_ms * 1000000)};
    if (!end.at_rest && cspr_flags.verbosity)
        cspr_note("coroutines were still running after %d ms (leak_grace_ms)", cspr_flags.leak_grace_ms);
    if (runtime && cspr_flags.detect_leaks) {
        cspr_enter();
        cspr_deadlock_check();
        cspr_leave();
    }
    cspr_report_lock();
    cspr_call_on_own_stack(find_and_print, &end);
    cspr_report_unlock();
}

// --- when asked ----------------------------------------------------------------------------------------------------------------

typedef struct question {
    const csp_leak_query *query;
    void (*tell)(const csp_leak_found *found, void *arg);
    void *arg;
    uintptr_t sp;
    size_t n;
} question;

static void answer(void *arg)
{
    question *q = arg;
    cspr_leaks all = {0};
    cspr_leaks_find(&all, q->query, q->sp, CSPR_LEAK_NOW);
    cspr_leaks_join(&all, q->query);
    if (q->query->print)
        cspr_leaks_print(&all);
    if (q->query->always_says && !all.n)
        cspr_note("leak check: %s", all.proven ? "no coroutine is stuck"
                                               : "threads of the program could not be held still: nothing is known");
    if (q->tell)
        cspr_leaks_tell(&all, q->tell, q->arg);
    q->n = all.n_coroutines;
    cspr_leaks_fini(&all);
}

static size_t ask(question *q)
{
    cspr_report_lock();
    cspr_call_on_own_stack(answer, q);
    cspr_report_unlock();
    return q->n;
}

// What the caller keeps in registers is saved in this function's frame, and all above it is in use.
CSPR_NOINLINE size_t cspr_leak_check_now(const csp_leak_query *q, void (*tell)(const csp_leak_found *found, void *arg),
                                         void *arg)
{
    __builtin_unwind_init();
    question question = {.query = q, .tell = tell, .arg = arg, .n = 0};
    __asm__ volatile("mov %%rsp, %0" : "=r"(question.sp));
    return cspi_runtime_view && cspr_ready ? ask(&question) : 0;
}

// --- the signal that asks --------------------------------------------------------------------------------------------------------

static int read_number(const char *text)
{
    int n = 0;
    for (; *text >= '0' && *text <= '9' && n < NSIG; text++)
        n = 10 * n + (*text - '0');
    return *text ? 0 : n;
}

static int find_signal(const char *name)
{
    const char *short_name = strncmp(name, "SIG", 3) != 0 ? name : name + 3;
    for (int sig = 1; sig < NSIG; sig++) {
        const char *its = sigabbrev_np(sig);
        if (its && !strcmp(its, short_name))
            return sig;
    }
    return read_number(name);
}

// Others end the program at once, cannot be caught, or are libc's or the runtime's own.
static bool can_ask(int sig)
{
    static const int refused[] = {SIGKILL, SIGSTOP, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGURG};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (sig == refused[i])
            return false;
    return (sig >= 1 && sig < 32) || (sig >= SIGRTMIN && sig <= SIGRTMAX);
}

int cspr_leak_signal(void)
{
    const char *name = cspr_flags.leak_check_signal;
    int sig = *name ? find_signal(name) : 0;
    if (!*name || can_ask(sig))
        return sig;
    cspr_note("leak_check_signal: '%s' is no signal that can be used for it", name);
    return 0;
}
