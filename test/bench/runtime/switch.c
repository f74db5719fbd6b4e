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

static _Alignas(64) char own_stack[STACK_SIZE], boost_stack[STACK_SIZE];
static void *here, *there;

static void own_other_side(void *unused)
{
    (void)unused;
    for (;;)
        cspi_switch(&there, here);
}

static int64_t own_round(long n)
{
    int64_t start = csp_now();
    for (long i = 0; i < n; i++)
        cspi_switch(&here, there);
    return csp_now() - start;
}

static void boost_other_side(fcontext_transfer t)
{
    for (;;)
        t = jump_fcontext(t.from, NULL);
}

static int64_t boost_round(void **other, long n)
{
    void *to = *other;
    int64_t start = csp_now();
    for (long i = 0; i < n; i++)
        to = jump_fcontext(to, NULL).from;
    *other = to;
    return csp_now() - start;
}

int main(int argc, char **argv)
{
    long n = argc > 1 ? atol(argv[1]) : 10000000;
    long there_and_back = n / ROUNDS / 2;
    there = cspi_switch_prepare(own_stack + STACK_SIZE, own_other_side, NULL);
    void *other = make_fcontext(boost_stack + STACK_SIZE, STACK_SIZE, boost_other_side);
    int64_t own = INT64_MAX, boost = INT64_MAX;
    for (int i = 0; i < ROUNDS; i++) {
        int64_t a = own_round(there_and_back), b = boost_round(&other, there_and_back);
        own = a < own ? a : own;
        boost = b < boost ? b : boost;
    }
    printf("ops=%ld wall_ns=%lld cpu_ns=%lld percent_of_boost=%lld\n", 2 * there_and_back, (long long)own,
           (long long)own, (long long)(100 * own / boost));
    return 0;
}
