// switch.c - the bare register switch, cspi_switch against boost.context's jump_fcontext, there and back again.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Both save the callee-saved registers and the floating-point control words. The two are measured in turn, in short
// rounds, and the figure is the ratio of the best ones: what disturbs a round only ever adds to it.
#include "bench.h"

#include "switch.h"

#include <stddef.h>

typedef struct fcontext_transfer {
    void *from;
    void *data;
} fcontext_transfer;
fcontext_transfer jump_fcontext(void *to, void *data);
void *make_fcontext(void *stack_top, size_t size, void (*fn)(fcontext_transfer));

#define STACK_SIZE 65536
#define ROUNDS 101
#define MAX_BEST 1e18

static _Alignas(64) char own_stack[STACK_SIZE], boost_stack[STACK_SIZE];
static void *here, *there;

static void own_other_side(void *unused)
{
    (void)unused;
    for (;;)
        cspi_switch(&there, here);
}

static double own_round(long n)
{
    double start = cpu_ns();
    for (long i = 0; i < n; i++)
        cspi_switch(&here, there);
    return (cpu_ns() - start) / (double)(2 * n);
}

static void boost_other_side(fcontext_transfer t)
{
    for (;;)
        t = jump_fcontext(t.from, NULL);
}

static double boost_round(void **other, long n)
{
    void *to = *other;
    double start = cpu_ns();
    for (long i = 0; i < n; i++)
        to = jump_fcontext(to, NULL).from;
    double ns = (cpu_ns() - start) / (double)(2 * n);
    *other = to;
    return ns;
}

int main(int argc, char **argv)
{
    long n = operations(argc, argv, 100000);
    there = cspi_switch_prepare(own_stack + STACK_SIZE, own_other_side, NULL);
    void *other = make_fcontext(boost_stack + STACK_SIZE, STACK_SIZE, boost_other_side);
    double own = MAX_BEST, boost = MAX_BEST;
    for (int i = 0; i < ROUNDS; i++) {
        double a = own_round(n), b = boost_round(&other, n);
        own = a < own ? a : own;
        boost = b < boost ? b : boost;
    }
    figure("switch", own, "ns");
    figure("switch_boost", boost, "ns");
    figure("switch_ratio", own / boost, "x");
    return 0;
}
