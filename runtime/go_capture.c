// go_capture.c - coroutines that take arguments of any types: CSP_GO's calls, captured and made again elsewhere.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Why: in C, a macro can neither name a function's parameter types nor define a function inside another. But it can call
// something else through a pointer of the function's type, and then the compiler does with the arguments what it would do
// for the function. Between csp_go_capture and that call no code of the program runs: the macro evaluates the arguments
// before. So what is passed from the one to the other may lie in a thread-local.
#include "sched.h"

#include "csp/go.h"
#include "panic.h"

#include <string.h>

#define MAX_ON_STACK 4096u

// go_capture_<arch>.S
void cspi_go_capture(void);
void cspi_go_replay(void *call);
void cspi_go_captured(const void *registers, const void *on_stack);

struct call {
    unsigned char registers[176];
    void (*fn)(void);
    size_t n_on_stack;
    unsigned char on_stack[];
};

static __thread struct {
    void (*fn)(void);
    size_t n_on_stack;
    const csp_site *site;
    void *caller;
} next;

csp_captured csp_go_capture(void (*fn)(void), size_t n_on_stack)
{
    CSPI_FRAME();
    if (n_on_stack > MAX_ON_STACK)
        csp_panic("CSP_GO: more than %u bytes of arguments", MAX_ON_STACK);
    next.fn = fn;
    next.n_on_stack = n_on_stack;
    next.site = CSP_HOOK_VALUE(take_site, NULL);
    next.caller = __builtin_return_address(0);
    return cspi_go_capture;
}

void cspi_go_captured(const void *registers, const void *on_stack)
{
    CSPI_FRAME();
    unsigned char room[sizeof(struct call) + MAX_ON_STACK] __attribute__((aligned(16)));
    struct call *c = (struct call *)room;
    CSP_HOOK(ignore_begin);
    memcpy(c->registers, registers, sizeof c->registers);
    memcpy(c->on_stack, on_stack, next.n_on_stack);
    CSP_HOOK(ignore_end);
    c->fn = next.fn;
    c->n_on_stack = next.n_on_stack;
    cspi_go_copy(cspi_go_replay, c, sizeof *c + c->n_on_stack, (void *)c->fn, next.site, next.caller);
}
