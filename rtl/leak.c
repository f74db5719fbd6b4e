// leak.c - when coroutines are looked at for leaks: at the end of the program, and when it asks.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "leak.h"

#include "deadlock.h"
#include "report.h"

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
