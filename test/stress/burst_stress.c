// burst_stress.c - bursts of coroutines of several sizes, and pauses in which idle workers give the stacks' memory back.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Hunts stacks handed out twice (one is overwritten by another), or given back while somebody runs on them (it reads zero).
#include "stress.h"

#define BURST 1500
#define WORDS 64

static csp_wg done;
static csp_chan *gate;

static void use_stack(void *number)
{
    volatile uintptr_t words[WORDS];
    for (int i = 0; i < WORDS; i++)
        words[i] = (uintptr_t)number + (uintptr_t)i;
    csp_recv(gate, NULL);
    for (int i = 0; i < WORDS; i++)
        CHECK(words[i] == (uintptr_t)number + (uintptr_t)i);
    csp_wg_done(&done);
}

static void round_of_burst(unsigned round)
{
    static const csp_go_options small = {.name = "small", .stack_size = 16 << 10}, large = {.stack_size = 256 << 10};
    gate = csp_chan_new(0, 0);
    csp_wg_add(&done, BURST);
    for (unsigned i = 0; i < BURST; i++) {
        void *number = (void *)(uintptr_t)(round * BURST + i);
        if (i % 8 == 0)
            csp_go_with(i % 16 ? &small : &large, use_stack, number);
        else
            csp_go(use_stack, number);
    }
    csp_close(gate);
    csp_wg_wait(&done);
    csp_chan_free(gate);
    if (round % 4 == 3)
        csp_sleep(110 * CSP_MS); // longer than stack.c's period: some are cold in the next round
}

int main(void)
{
    repeat(round_of_burst);
    return 0;
}
