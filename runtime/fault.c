// fault.c - tells a stack overflow from other memory faults: a fault in a guard page names the coroutine and ends with 2.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The handler runs on an alternate stack, since the coroutine's own is used up. Any other fault is none of our business:
// the handler that was there before us is put back and the instruction faults again.
#include "fault.h"

#include "co.h"
#include "hooks.h"
#include "panic.h"
#include "stack.h"
#include "symbols.h"

#include <signal.h>
#include <ucontext.h>
#include <unistd.h>

#define SIGNAL_STACK_SIZE ((size_t)64 << 10) // room for the detector's last words

static struct sigaction previous;

// Where it was; 0: not known.
static uintptr_t pc_of(void *context)
{
#if defined(__x86_64__)
    return (uintptr_t)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
#endif
    (void)context;
    return 0;
}

static const char *function_at(uintptr_t pc)
{
    cspi_symbol symbol = {0};
    cspi_symbol_find(pc, &symbol);
    return symbol.function;
}

static void on_fault(int sig, siginfo_t *info, void *context)
{
    const csp_co *co = cspi_stack_of_guard((uintptr_t)info->si_addr);
    if (!co) {
        sigaction(sig, &previous, NULL);
        return;
    }
    // No flush of stdio here: the fault may have come from inside it.
    const char *name = cspi_co_name(co);
    const char *function = function_at(pc_of(context));
    cspi_say("fatal error: stack overflow\ncoroutine %llu%s%s%s overflowed its %zu KiB stack%s%s\n",
             (unsigned long long)co->id, name ? " \"" : "", name ? name : "", name ? "\"" : "",
             cspi_stack_size(co) >> 10, function ? " in " : "", function ? function : "");
    CSP_HOOK(ending, "fatal error", "stack overflow", (const void *)pc_of(context));
    cspi_end_process();
}

void cspi_fault_install(void)
{
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    CSP_HOOK(ignore_begin);
    sigaction(SIGSEGV, &action, &previous);
    CSP_HOOK(ignore_end);
}

void cspi_fault_prepare_thread(void)
{
    stack_t old;
    if (sigaltstack(NULL, &old) == 0 && !(old.ss_flags & SS_DISABLE))
        return;
    stack_t own = {.ss_sp = cspi_stack_map_own(SIGNAL_STACK_SIZE), .ss_size = SIGNAL_STACK_SIZE};
    sigaltstack(&own, NULL);
}
